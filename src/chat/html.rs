//! Message HTML from strangers, made safe for the old clients, which put it into their page as it is.
//!
//! Two steps. `well_nested` reads the text once, front to back, and writes only known tags, each
//! closed in order; what comes out is cheap to parse. Then `ammonia` parses that with a real HTML
//! parser, filters it and writes the result: it alone decides what is safe.
//!
//! Why not `ammonia` alone: HTML's repair of wrong nesting costs the square of its input, or worse.
//! 64 KiB of `<a><b><i>`, unclosed `<div>` or `<html a1>` kept a core busy for up to 400 ms, and 11 KiB
//! of crossed formatting grew to 1.7 MB. Well-nested text needs no repair.

mod nesting;

use std::borrow::Cow;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::message::{Format, Message};
use nesting::well_nested;

/// The tags that stay and their attributes; `style` is for all of them.
const TAGS: &[(&str, &[&str])] = &[
    ("a", &["href", "title", "target"]),
    ("b", &[]),
    ("br", &[]),
    ("div", &[]),
    ("em", &[]),
    ("font", &["color", "size", "face"]),
    ("i", &[]),
    ("img", &["src", "alt", "border", "width", "height", "title"]),
    ("p", &[]),
    ("s", &[]),
    ("span", &[]),
    ("strong", &[]),
    ("u", &[]),
];

const STYLE_PROPERTIES: &[&str] =
    &["background-color", "color", "font-family", "font-size", "font-style", "font-weight", "text-decoration"];

static POLICY: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut policy = Builder::empty();
    policy
        .tags(TAGS.iter().map(|(tag, _)| *tag).collect())
        .tag_attributes(TAGS.iter().map(|(tag, attributes)| (*tag, attributes.iter().copied().collect())).collect())
        .generic_attributes(["style"].into())
        // Written by `start`. The library adds it last but scrambles the order when it drops another
        // attribute, and a second pass would change the result again.
        .link_rel(None)
        .add_tag_attributes("a", ["rel"])
        .url_schemes(["http", "https"].into())
        // `filter_attribute` decides about relative addresses.
        .url_relative(UrlRelative::PassThrough)
        .attribute_filter(filter_attribute);
    policy
});

/// Makes message HTML safe to insert into a page.
///
/// `<b onclick="x()">hi</b><script>y()</script>` -> `<b>hi</b>`
///
/// Text without `<` is returned as it came, so `a & b` and `&lt;` are not escaped again. NUL becomes
/// U+FFFD everywhere, because PostgreSQL cannot store it. Sanitizing twice changes nothing more. The
/// result can be longer than `text` (`&` becomes `&amp;` beside tags), up to about six times.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    let text = if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) };
    if !text.contains('<') {
        return text;
    }

    let clean = POLICY.clean(&well_nested(&text)).to_string();
    // The parser takes one byte order mark off the front, so a second pass would take the next.
    Cow::Owned(clean.trim_start_matches('\u{feff}').to_owned())
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn filter_attribute<'v>(tag: &str, name: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let keep = |keep: bool| keep.then_some(Cow::Borrowed(value));
    match (tag, name) {
        ("img", "src") => keep(is_emoticon(value) || is_web_or_upload(value)),
        ("a", "href") => keep(is_web_or_upload(value)),
        // Another name would let a link replace the client's own window.
        ("a", "target") => keep(value == "_blank"),
        (_, "style") => filter_style(value).map(Cow::Owned),
        _ => keep(true),
    }
}

/// The editor's own pictures, the one relative address that stays; the old client holds the files.
fn is_emoticon(url: &str) -> bool {
    let number = url.strip_prefix("kindeditor/plugins/emoticons/images/").and_then(|name| name.strip_suffix(".gif"));
    number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()) && n.parse::<u8>().is_ok_and(|n| n <= 134))
}

/// `http://…`, `https://…` or a file uploaded here. `http:path` is left out: browsers take it for a
/// relative address. So is a step upwards, which would leave the upload folder.
fn is_web_or_upload(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    if lower.contains(|c: char| c.is_control() || c == '\\') {
        return false;
    }
    if let Some(path) = lower.strip_prefix("/public/files/") {
        return !path.contains("..") && !path.contains("%2e");
    }
    lower.starts_with("http://") || lower.starts_with("https://")
}

/// Keeps the declarations that can only change how text looks.
///
/// Not left to `ammonia`: it knows property names in lower case only (Internet Explorer writes them
/// in capitals), and lets `url()` and that browser's `expression()` through.
fn filter_style(style: &str) -> Option<String> {
    let declarations = style.split(';').filter_map(|declaration| {
        let (name, value) = declaration.split_once(':')?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let keep = STYLE_PROPERTIES.contains(&name.as_str()) && is_plain_value(value);
        keep.then(|| format!("{name}:{value}"))
    });
    let kept: Vec<_> = declarations.collect();
    (!kept.is_empty()).then(|| kept.join(";"))
}

/// Words, numbers, quoted names and colours. No backslash and no comment, so that no other function
/// can be spelled in a way this does not see.
fn is_plain_value(value: &str) -> bool {
    let is_colour = |before: &str| {
        let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        is_one_of(&["rgb", "rgba", "hsl", "hsla"], word)
    };
    !value.is_empty()
        && value.chars().all(|c| c.is_alphanumeric() || " #%.,+-_!'\"()".contains(c))
        && value.match_indices('(').all(|(at, _)| is_colour(&value[..at]))
}

/// A message's text without markup, as people read it.
pub fn plain(message: &Message) -> String {
    match message.format {
        Format::Plain => message.body.to_string(),
        Format::Html => strip(&message.body),
    }
}

/// The text in sanitised HTML: tags become nothing, but line breaks and blocks end a line.
fn strip(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.to_owned();
    }
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let tag = &rest[start + 1..];
        if ["br", "/p", "/div"].iter().any(|block| tag.starts_with(block)) {
            text.push('\n');
        }
        // A `>` in an attribute's value does not end the tag.
        let mut is_quoted = false;
        let end = tag.find(|c| {
            is_quoted ^= c == '"';
            c == '>' && !is_quoted
        });
        rest = end.map_or("", |end| &tag[end + 1..]);
    }
    text.push_str(rest);
    // The sanitiser writes no other references than these; the ampersand comes last.
    for (reference, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&nbsp;", " "), ("&amp;", "&")] {
        text = text.replace(reference, character);
    }
    text.trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use super::nesting::known;

    const EMOTICON: &str = r#"<img src="kindeditor/plugins/emoticons/images/134.gif" border="0" alt="">"#;

    fn assert_all(cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(sanitize(text), *expected, "from {text}");
            assert_eq!(sanitize(expected), *expected, "a second time");
        }
    }

    #[test]
    fn text_without_markup() {
        for (html, text) in [
            ("a &lt;b&gt; &amp;amp; &quot;c&quot;", "a <b> &amp; \"c\""),
            ("<div>one</div><div>two<br />three</div>", "one\ntwo\nthree"),
            (r#"<a title="a>b" href="http://x/">link</a>!"#, "link!"),
            ("plain", "plain"),
            ("<b", ""),
        ] {
            assert_eq!(strip(html), text);
        }
    }

    #[test]
    fn keeps_what_the_editor_makes() {
        assert_all(&[
            (EMOTICON, EMOTICON),
            (&EMOTICON.replace("\">", "\" />"), EMOTICON),
            ("<STRONG><em><u>x</u></em></STRONG>", "<strong><em><u>x</u></em></strong>"),
            ("<p>a<br />b</p><div>c</div>", "<p>a<br>b</p><div>c</div>"),
            ("<p>\u{4f60}&nbsp;&amp;&lt;</p>", "<p>\u{4f60}&nbsp;&amp;&lt;</p>"),
            (
                r#"<span style="color:#E53333;font-family:'Microsoft YaHei';line-height:1.5;">x</span>"#,
                r#"<span style="color:#E53333;font-family:'Microsoft YaHei'">x</span>"#,
            ),
            (
                r#"<SPAN style="FONT-SIZE: 12px; BACKGROUND-COLOR: rgb(0, 1, 2)">x</SPAN>"#,
                r#"<span style="font-size:12px;background-color:rgb(0, 1, 2)">x</span>"#,
            ),
            (
                r##"<font color="#ff0000" size="4" face="SimSun">x</font>"##,
                r##"<font color="#ff0000" size="4" face="SimSun">x</font>"##,
            ),
            (
                r#"<img src="/public/files/nodeim-server/1.png" width="10" onload="x()">"#,
                r#"<img src="/public/files/nodeim-server/1.png" width="10">"#,
            ),
            (
                r#"<a href="https://a.example/?b=1&amp;c" target="_blank" title="t">x</a>"#,
                r#"<a rel="noopener noreferrer" href="https://a.example/?b=1&amp;c" target="_blank" title="t">x</a>"#,
            ),
        ]);
    }

    #[test]
    fn text_without_tags_is_untouched() {
        for text in ["", "a & b", "&lt;b&gt; &amp;amp;", "x > y", "\r\n\u{a0}\u{1f600}"] {
            assert!(matches!(sanitize(text), Cow::Borrowed(same) if same == text));
        }
        assert_all(&[
            ("a\0b", "a\u{fffd}b"),
            ("<b>a\0</b>", "<b>a\u{fffd}</b>"),
            ("1 < 2 <3 </3", "1 &lt; 2 &lt;3 &lt;/3"),
            ("\u{feff}&#xfeff;\u{feff}<b>a", "<b>a</b>"),
            ("if a <b then <i", "if a &lt;b then &lt;i"),
        ]);
    }

    #[test]
    fn drops_what_runs_or_loads() {
        assert_all(&[
            ("<script>x()</script>a", "a"),
            ("<SCRIPT src=//h>x()</SCRIPT >a", "a"),
            ("<style>b{color:red}</style>a", "a"),
            ("<scr<script>ipt>x()</script>", "ipt&gt;x()"),
            ("<b onclick='x()' ONMOUSEOVER=x()>a</b>", "<b>a</b>"),
            ("<b/onclick=x()>a", "<b>a</b>"),
            ("<iframe src=http://h></iframe><object data=x></object><embed src=x>", ""),
            ("<svg onload=x()><a href=javascript:x()>a</a></svg>", r#"<a rel="noopener noreferrer">a</a>"#),
            ("<svg><style><img src=1 onerror=x()></style></svg>", ""),
            (
                "<math><mi><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=x()&gt;'>",
                "<img title=\"--&gt;&lt;img src=1 onerror=x()&gt;\">",
            ),
            ("<noscript><b title='</noscript><img src=x onerror=x()>'>a", "<b>a</b>"),
            ("<textarea><b title='</textarea><img src=x onerror=x()>'>a", "<b>a</b>"),
            ("<!--><img src=x onerror=x()>-->a", "<img>--&gt;a"),
            ("<!-- <b> --><?xml:x y ?><![if gte]>a", "a"),
            ("<form action=x><input name=y><button>a", "a"),
            ("<b style=\"color:red;position:fixed;background:url(http://h)\">a</b>", "<b style=\"color:red\">a</b>"),
            ("<b style=\"color:url(http://h)\">a</b>", "<b>a</b>"),
            ("<b style=\"color:u\\72l(http://h);font-size:expression(x())\">a</b>", "<b>a</b>"),
            ("<b style=\"color:/**/red;font-family:x/**/(\">a</b>", "<b>a</b>"),
            ("<a href=https://h target=_top>a</a>", r#"<a rel="noopener noreferrer" href="https://h">a</a>"#),
            ("<a rel=opener href=x style=color:red>a", r#"<a rel="noopener noreferrer" style="color:red">a</a>"#),
        ]);
    }

    #[test]
    fn only_known_addresses_stay() {
        for url in [
            "//h/x",
            "x.gif",
            "/x",
            "javascript:x()",
            " javascript:x()",
            "java\nscript:x()",
            "data:text/html,x",
            "&#106;avascript:x()",
            "vbscript:x",
            "file:///x",
            "http:x",
            "https:/x",
            "/\\h",
            "/public/files/../x",
            "/public/files/%2E%2e/x",
            "/public/files/..\\x",
            "HTTP:",
            "kindeditor/plugins/emoticons/images/135.gif",
            "kindeditor/plugins/emoticons/images/+1.gif",
            "kindeditor/plugins/emoticons/images/../1.gif",
            "",
        ] {
            assert_eq!(sanitize(&format!("<img src=\"{url}\">")), "<img>", "{url}");
            assert_eq!(sanitize(&format!("<a href=\"{url}\">")), r#"<a rel="noopener noreferrer"></a>"#, "{url}");
        }
        for url in ["http://h/x.png", "HTTPS://h", "/public/files/nodeim-server/1.5\u{56fe}.png"] {
            assert_eq!(sanitize(&format!("<img src='{url}'>")), format!("<img src=\"{url}\">"));
        }
        assert_eq!(sanitize(&EMOTICON.replace("img", "a")).matches("href").count(), 0);
    }

    #[test]
    fn closes_tags_in_order() {
        assert_all(&[
            ("<b>a<i>b</b>c</i>", "<b>a<i>b</i></b>c"),
            ("<p>a<p>b", "<p>a</p><p>b</p>"),
            ("<p><b>a<div>b", "<p><b>a</b></p><div>b</div>"),
            ("</b></p></br>a", "a"),
        ]);
    }

    /// Each of these made the parser alone slow or its output huge.
    #[test]
    fn hostile_nesting_does_not_grow() {
        for unit in ["<b>", "<a><b><i>", "<div>", "<ul><li>", "<html a=1>", "<table><br>x", "<b x=", "<!--", "</q><p>"]
        {
            let text = unit.repeat(64 * 1024 / unit.len());
            assert!(sanitize(&text).len() <= 3 * text.len(), "{unit}");
        }
        let crossed: String =
            (0..2000).map(|i| format!("<font size={i}><p>")).chain(["</font>x".repeat(2000)]).collect();
        assert!(sanitize(&crossed).len() <= 3 * crossed.len());
    }

    /// Reads sanitized text: every `<` begins a known tag, spelled as `ammonia` spells it.
    fn assert_safe(html: &str) {
        for tag in html.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').expect("tag is closed");
            if let Some(name) = tag.strip_prefix('/') {
                assert!(known(name).is_some(), "{html}");
                continue;
            }
            let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
            let (_, allowed) = known(name).expect("tag is known");
            while !rest.is_empty() {
                let (attribute, after) = rest.split_once("=\"").expect("value is quoted");
                let (value, after) = after.split_once('"').expect("quote is closed");
                rest = after.trim_start();
                assert!(allowed.contains(&attribute) || ["style", "rel"].contains(&attribute), "{html}");
                assert!(attribute != "rel" || value == "noopener noreferrer", "{html}");
                match attribute {
                    "src" | "href" => assert!(is_emoticon(value) || is_web_or_upload(value), "{html}"),
                    "style" => assert!(!value.contains("url(") && !value.contains('\\'), "{html}"),
                    _ => {}
                }
            }
        }
    }

    /// Pieces of markup, good and bad, in any order; and any characters between them.
    fn markup() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => prop::sample::select(vec![
                "<b>", "</b>", "<i", "<p>", "</p>", "<div>", "</div>", "<a href=", "</a>", "<img src=", "<font color=",
                "<table>", "<td>", "<svg>", "<math>", "<style>", "</style>", "<script>", "</script>", "<title>",
                "<textarea>", "<select>", "<template>", "<noscript>", "<!--", "-->", "<![CDATA[", "]]>", "<?", "</",
                "'", "\"", "=", ">", "/", " ", "\n", "\0", "&", "&lt;", "&#106;", "&quot;", "&Tab;", "javascript:",
                "http://h", "//h", " onerror=x()", " style=", "color:red;", "url(", "rgb(1,2)", "\\", "alt", "x",
            ]).prop_map(String::from),
            1 => any::<char>().prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_markup_comes_out_safe(text in markup()) {
            assert_safe(&sanitize(&text));
        }

        #[test]
        fn twice_is_once(text in markup()) {
            let once = sanitize(&text);
            prop_assert_eq!(&sanitize(&once), &once);
        }

        #[test]
        fn plain_text_is_identical(text in "[^<\\x00]*") {
            prop_assert_eq!(&sanitize(&text), &text);
        }
    }
}
