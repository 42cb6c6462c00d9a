//! The names of files: the random ones under which they are kept, and what their owners called them.

/// Where files are served. Old clients concatenate server and path, so it begins with a slash.
pub const PATH: &str = "/public/files/nodeim-server/";

/// Random bytes of a name: nobody can guess it.
pub(super) const NAME_BYTES: usize = 16;
/// Characters of a name: the bytes in base64.
const NAME_CHARS: usize = 22;
/// Names taken from one text.
const MAX_NAMES: usize = 64;
const MAX_ORIGINAL_BYTES: usize = 200;
/// The end of a name that is kept when it must be shortened, if it looks like an extension.
const MAX_EXTENSION_BYTES: usize = 16;
const NAMELESS: &str = "file";

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// The name at the beginning of `text`, and what follows it.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(text.len());
    (end == NAME_CHARS).then(|| text.split_at(end))
}

/// The names of the files that `text` shows, a thumbnail as its file; the first 64, each once.
pub fn names_in(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, path) in text.match_indices(PATH) {
        let Some((name, _)) = split_name(&text[at + path.len()..]) else {
            continue;
        };
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        if names.len() == MAX_NAMES {
            break;
        }
    }
    names
}

/// Name and extension of a file on disk: `x1….jpg`, `x1….thumb.jpg`. None for everything else.
pub fn split_stored(stored: &str) -> Option<(&str, &str)> {
    let (name, rest) = split_name(stored)?;
    let extension = rest.strip_prefix(".thumb").unwrap_or(rest).strip_prefix('.')?;
    let is_plain = (1..=5).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    is_plain.then_some((name, extension))
}

/// What a file is called from now on, of what its owner's program called it: no folders, nothing that cannot be
/// seen or that turns the direction of writing, nothing that a file system could mind, and not too long.
pub fn clean(original: &str) -> String {
    // Browsers write quotes and line ends in a part's file name like this.
    let original = original.replace("%22", "\"").replace("%0D", "").replace("%0A", "");
    let base = original.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = base.chars().filter(|c| !c.is_control() && !is_invisible(*c));
    let safe: String = visible.map(|c| if "\"<>|*?:".contains(c) { '_' } else { c }).collect();
    let trimmed = safe.trim().trim_matches('.').trim();
    if trimmed.is_empty() { NAMELESS.to_owned() } else { shorten(trimmed) }
}

/// Marks of the direction of writing, joiners, and other characters without a shape.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn shorten(name: &str) -> String {
    if name.len() <= MAX_ORIGINAL_BYTES {
        return name.to_owned();
    }
    let dot = name.rfind('.').filter(|dot| name.len() - dot <= MAX_EXTENSION_BYTES);
    let extension = dot.map_or("", |dot| &name[dot..]);
    let stem = &name[..name.floor_char_boundary(MAX_ORIGINAL_BYTES - extension.len())];
    format!("{}{extension}", stem.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "AbC-_0123456789abcdefg";

    #[test]
    fn names_are_found_wherever_they_stand() {
        let text = format!(
            "<img src=\"{PATH}{NAME}.thumb.png\"><a href='http://h{PATH}{NAME}.png'>x</a>{PATH}short.png{PATH}{NAME}x"
        );
        assert_eq!(names_in(&text), [NAME]);
        assert_eq!(names_in("/public/files/other/x"), Vec::<String>::new());
        let many: String = (10..99).map(|n| format!("{PATH}{n}{}.png ", &NAME[2..])).collect();
        assert_eq!(names_in(&many).len(), MAX_NAMES);
    }

    #[test]
    fn stored_names_have_one_form() {
        for (stored, extension) in [(".jpg", "jpg"), (".thumb.png", "png"), (".7z", "7z")] {
            let stored = format!("{NAME}{stored}");
            assert_eq!(split_stored(&stored), Some((NAME, extension)));
        }
        for rest in
            ["", ".", ".jpg.thumb", ".thumb", ".JPG", ".jpg/", ".jpg\0", "./../x", ".thumb.thumb.jpg", ".longer"]
        {
            let found = split_stored(&format!("{NAME}{rest}")).map(|(_, extension)| extension.to_owned());
            assert!(found.is_none() || found.as_deref() == Some("thumb"), "{rest}");
        }
        for stored in ["", "..", "../../etc/passwd", "x.jpg", "%2e%2e"] {
            assert_eq!(split_stored(stored), None);
        }
    }

    #[test]
    fn hostile_names_become_harmless_ones() {
        for (original, expected) in [
            ("cat.jpg", "cat.jpg"),
            ("../../x", "x"),
            ("C:\\Users\\alee\\cat.jpg", "cat.jpg"),
            ("a\0b.txt", "ab.txt"),
            ("say \"hi\".txt", "say _hi_.txt"),
            ("say %22hi%22.txt", "say _hi_.txt"),
            ("a\r\nSet-Cookie: x", "aSet-Cookie_ x"),
            ("\u{202e}gpj.exe", "gpj.exe"),
            ("a.php.jpg", "a.php.jpg"),
            ("<b>.html", "_b_.html"),
            ("\u{1f600} 猫.png", "\u{1f600} 猫.png"),
            (".htaccess", "htaccess"),
            ("..", "file"),
            ("x/", "file"),
            ("", "file"),
            (" . ", "file"),
        ] {
            assert_eq!(clean(original), expected, "{original:?}");
        }
        let long = clean(&format!("{}.jpeg", "猫".repeat(5000)));
        assert!(long.len() <= MAX_ORIGINAL_BYTES && long.ends_with("猫.jpeg"), "{long}");
    }

    proptest! {
        #[test]
        fn clean_names_are_short_visible_and_without_folders(original in any::<String>()) {
            let name = clean(&original);
            prop_assert!(!name.is_empty() && name.len() <= MAX_ORIGINAL_BYTES);
            prop_assert!(!name.starts_with('.') && !name.contains(['/', '\\', '"', '<', '>']));
            prop_assert!(!name.chars().any(|c| c.is_control() || is_invisible(c)));
        }

        #[test]
        fn names_in_finds_only_names(text in "(/public/files/nodeim-server/|[A-Za-z0-9_./-]{0,30}){0,9}") {
            for name in names_in(&text) {
                let found = format!("{PATH}{name}");
                prop_assert!(name.len() == NAME_CHARS && text.contains(&found));
            }
        }
    }
}
