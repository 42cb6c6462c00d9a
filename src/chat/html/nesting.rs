//! Markup from strangers, read once and written again with every tag closed in order.

use super::{TAGS, is_one_of};

/// Tags whose content is not text to read.
const RAW_TAGS: &[&str] = &["script", "style"];

/// Editors nest perhaps ten tags; a start tag deeper than this is dropped, its content stays.
const MAX_DEPTH: usize = 64;

/// More than any tag above has, so only repeated attributes are cut.
const MAX_ATTRIBUTES: usize = 8;

/// What stands at a `<`.
enum Markup<'a> {
    Start(Tag<'a>),
    End(&'a str),
    /// A comment or declaration: dropped.
    Comment,
    /// A `<` that begins nothing.
    LessThan,
    /// A tag that never ends: what is left is text.
    Unfinished,
}

struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

/// Copies text, dropping unknown tags and comments, and closes every tag in order.
///
/// A second `<p>`, a `<div>` and a second `<a>` close the one before, as in HTML: the parser would do
/// it too, but then it reopens all formatting inside, which is where the cost comes from.
pub(super) fn well_nested(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut open = Vec::new();
    let mut rest = text;

    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let (markup, after) = read_markup(&rest[at..]);
        rest = after;
        match markup {
            Markup::Start(tag) => {
                rest = skip_raw_content(tag.name, rest);
                start(&mut out, &mut open, &tag);
            }
            Markup::End(name) => {
                if let Some((name, _)) = known(name) {
                    close(&mut out, &mut open, name);
                }
            }
            Markup::Comment => {}
            Markup::LessThan => out.push_str("&lt;"),
            Markup::Unfinished => {
                out.push_str(&rest.replace('<', "&lt;"));
                rest = "";
            }
        }
    }

    out.push_str(rest);
    while let Some(name) = open.pop() {
        push_end(&mut out, name);
    }
    out
}

fn start(out: &mut String, open: &mut Vec<&'static str>, tag: &Tag<'_>) {
    let Some((name, allowed)) = known(tag.name) else { return };
    let attributes = tag.attributes.iter().filter_map(|(attribute, value)| {
        let mut names = allowed.iter().chain(&["style"]);
        Some((names.find(|name| name.eq_ignore_ascii_case(attribute))?, value))
    });

    match name {
        "p" | "div" => close(out, open, "p"),
        // It is given a long `rel` below, so a bare `<a>` would grow elevenfold. One that has a `rel`
        // may be our own, from which the address was taken.
        "a" if !tag.attributes.iter().any(|(name, _)| is_one_of(&["href", "rel"], name)) => return,
        "a" => close(out, open, "a"),
        _ => {}
    }
    if !matches!(name, "br" | "img") {
        if open.len() == MAX_DEPTH {
            return;
        }
        open.push(name);
    }

    out.push('<');
    out.push_str(name);
    if name == "a" {
        // An opened page must not reach back into the client's window.
        out.push_str(" rel=\"noopener noreferrer\"");
    }
    for (name, value) in attributes.take(MAX_ATTRIBUTES) {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        out.push_str(&value.replace('"', "&quot;"));
        out.push('"');
    }
    out.push('>');
}

/// Closes `name` and all that is open inside it; nothing if it is not open.
fn close(out: &mut String, open: &mut Vec<&'static str>, name: &str) {
    if let Some(at) = open.iter().rposition(|tag| *tag == name) {
        for tag in open.drain(at..).rev() {
            push_end(out, tag);
        }
    }
}

fn push_end(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

pub(super) fn known(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    TAGS.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(name)).copied()
}

/// Reads what begins at the `<` that `text` starts with; also returns what follows it.
///
/// Every branch moves past what it looked at or ends the reading, so the whole is one pass.
fn read_markup(text: &str) -> (Markup<'_>, &str) {
    let body = &text[1..];
    if let Some(comment) = body.strip_prefix("!--") {
        // `<!-->` is a whole comment, and one that is not closed runs to the end, as in HTML.
        let comment = comment.strip_prefix('>').or_else(|| Some(comment.split_once("-->")?.1));
        return (Markup::Comment, comment.unwrap_or_default());
    }
    if body.starts_with(['!', '?']) {
        return (Markup::Comment, body.split_once('>').map_or("", |(_, after)| after));
    }

    let (is_end, body) = match body.strip_prefix('/') {
        Some(body) => (true, body),
        None => (false, body),
    };
    if !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return (Markup::LessThan, &text[1..]);
    }
    let (name, body) = split_before(body, |c| is_space(c) || matches!(c, '/' | '>'));
    match read_attributes(body) {
        None => (Markup::Unfinished, text),
        Some((_, after)) if is_end => (Markup::End(name), after),
        Some((attributes, after)) => (Markup::Start(Tag { name, attributes }), after),
    }
}

/// Attributes as HTML splits them, up to the `>` of the tag; `None` if the text ends before it.
fn read_attributes(mut text: &str) -> Option<(Vec<(&str, &str)>, &str)> {
    let mut attributes = Vec::new();
    loop {
        text = text.trim_start_matches(|c| is_space(c) || c == '/');
        if let Some(after) = text.strip_prefix('>') {
            return Some((attributes, after));
        }
        let first = text.chars().next()?;

        // A leading `=` belongs to the name.
        let (tail, _) = split_before(&text[first.len_utf8()..], |c| is_space(c) || matches!(c, '/' | '>' | '='));
        let (name, after_name) = text.split_at(first.len_utf8() + tail.len());
        let mut value = "";
        text = after_name;
        if let Some(after) = after_name.trim_start_matches(is_space).strip_prefix('=') {
            text = after.trim_start_matches(is_space);
            match text.chars().next()? {
                quote @ ('"' | '\'') => (value, text) = text[1..].split_once(quote)?,
                _ => (value, text) = split_before(text, |c| is_space(c) || c == '>'),
            }
        }
        attributes.push((name, value));
    }
}

fn skip_raw_content<'a>(name: &str, text: &'a str) -> &'a str {
    if !is_one_of(RAW_TAGS, name) {
        return text;
    }
    let is_end = |at: usize| text.get(at + 2..at + 2 + name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name));
    let end = text.match_indices("</").find(|(at, _)| is_end(*at));
    end.map_or("", |(at, _)| &text[at..])
}

fn split_before(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

/// HTML's white space, which is not Rust's: a vertical tab is part of a name.
fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}
