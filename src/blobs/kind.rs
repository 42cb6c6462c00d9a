//! What a file is, by its first bytes. Neither its name nor what its sender says of it is asked.

use image::ImageFormat;

/// As much of a file's beginning as its kind is told from.
pub(super) const HEAD_BYTES: usize = 8192;

/// A kind of file that is known here.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// What `infer` calls it.
    found: &'static str,
    pub extension: &'static str,
    pub media_type: &'static str,
    /// Whether a browser may show it: no script can be in it.
    pub is_inline: bool,
}

const fn shown(found: &'static str, extension: &'static str, media_type: &'static str) -> Kind {
    Kind { found, extension, media_type, is_inline: true }
}

const fn handed_out(found: &'static str, extension: &'static str) -> Kind {
    Kind { found, extension, media_type: found, is_inline: false }
}

const KINDS: &[Kind] = &[
    shown("image/png", "png", "image/png"),
    shown("image/jpeg", "jpg", "image/jpeg"),
    shown("image/gif", "gif", "image/gif"),
    shown("image/webp", "webp", "image/webp"),
    shown("image/avif", "avif", "image/avif"),
    shown("image/heif", "heic", "image/heif"),
    shown("image/bmp", "bmp", "image/bmp"),
    shown("audio/mpeg", "mp3", "audio/mpeg"),
    shown("audio/m4a", "m4a", "audio/mp4"),
    shown("audio/aac", "aac", "audio/aac"),
    shown("audio/amr", "amr", "audio/amr"),
    shown("audio/ogg", "ogg", "audio/ogg"),
    shown("audio/opus", "opus", "audio/ogg"),
    shown("audio/x-flac", "flac", "audio/flac"),
    shown("audio/x-wav", "wav", "audio/wav"),
    shown("video/mp4", "mp4", "video/mp4"),
    shown("video/x-m4v", "m4v", "video/mp4"),
    shown("video/webm", "webm", "video/webm"),
    shown("video/x-matroska", "mkv", "video/x-matroska"),
    shown("video/quicktime", "mov", "video/quicktime"),
    shown("text/plain", "txt", "text/plain"),
    handed_out("application/pdf", "pdf"),
    handed_out("application/zip", "zip"),
    handed_out("application/gzip", "gz"),
    handed_out("application/x-7z-compressed", "7z"),
    handed_out("application/vnd.rar", "rar"),
    handed_out("application/rtf", "rtf"),
    handed_out("application/epub+zip", "epub"),
    handed_out("application/msword", "doc"),
    handed_out("application/vnd.ms-excel", "xls"),
    handed_out("application/vnd.ms-powerpoint", "ppt"),
    handed_out("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
    handed_out("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
    handed_out("application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"),
    handed_out("application/vnd.oasis.opendocument.text", "odt"),
    handed_out("application/vnd.oasis.opendocument.spreadsheet", "ods"),
    handed_out("application/vnd.oasis.opendocument.presentation", "odp"),
];

const TEXT: &str = "text/plain";

/// Everything else, HTML, SVG and programs among it.
pub(super) const UNKNOWN: &Kind = &handed_out("application/octet-stream", "bin");

impl Kind {
    /// The kind of a file that begins with `head`.
    pub(super) fn of(head: &[u8]) -> &'static Self {
        let found = infer::get(head).map(|kind| kind.mime_type());
        let is_media = |found: &str| ["image/", "audio/", "video/"].iter().any(|start| found.starts_with(start));
        // Some signatures of pictures and sounds are two letters long: what can be read all through is none of them.
        let may_be_text = found.is_none_or(|found| is_media(found) || found == "text/x-shellscript");
        if may_be_text && is_text(head) {
            return if has_markup(head) { UNKNOWN } else { Self::found(TEXT) };
        }
        found.map_or(UNKNOWN, Self::found)
    }

    fn found(name: &str) -> &'static Self {
        KINDS.iter().find(|kind| kind.found == name).unwrap_or(UNKNOWN)
    }

    /// The kind of a file that was stored with this extension.
    pub fn by_extension(extension: &str) -> Option<&'static Self> {
        KINDS.iter().chain([UNKNOWN]).find(|kind| kind.extension == extension)
    }

    /// How to read it as a picture, if that can be done here.
    pub(super) fn format(&self) -> Option<ImageFormat> {
        match self.extension {
            "png" => Some(ImageFormat::Png),
            "jpg" => Some(ImageFormat::Jpeg),
            "gif" => Some(ImageFormat::Gif),
            "webp" => Some(ImageFormat::WebP),
            _ => None,
        }
    }
}

fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The head may end within a character.
        Err(error) if error.error_len().is_none() => match std::str::from_utf8(&head[..error.valid_up_to()]) {
            Ok(text) => text,
            Err(_) => return false,
        },
        Err(_) => return false,
    };
    !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

/// Whether there is something like a tag: HTML, SVG, XML.
fn has_markup(head: &[u8]) -> bool {
    head.windows(2)
        .any(|pair| pair[0] == b'<' && (pair[1].is_ascii_alphabetic() || matches!(pair[1], b'!' | b'?' | b'/')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Beginnings of files of many kinds.
    const SIGNATURES: &[&[u8]] = &[
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBP",
        b"RIFF\0\0\0\0WAVE",
        b"BM",
        b"ID3",
        b"OggS",
        b"PK\x03\x04",
        b"%PDF-",
        b"\x1f\x8b",
        b"fLaC",
        b"\0\0\0\x18ftypisom",
        b"\0\0\0\x18ftypavif",
        b"\0\0\0\x18ftypheic",
        b"\x1a\x45\xdf\xa3",
        b"Rar!",
        b"#!AMR",
        b"\xff\xf1",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"MZ",
        b"\x7fELF",
        b"<svg",
        b"\xef\xbb\xbf<html",
        b"#!/bin/sh",
    ];

    fn extension(head: impl AsRef<[u8]>) -> &'static str {
        Kind::of(head.as_ref()).extension
    }

    #[test]
    fn the_first_bytes_tell() {
        assert_eq!(extension(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "png");
        assert_eq!(extension(b"\xff\xd8\xff\xe0"), "jpg");
        assert_eq!(extension(b"GIF89a\x01\0\x01\0"), "gif");
        assert_eq!(extension(b"RIFF\0\0\0\0WAVEfmt "), "wav");
        assert_eq!(extension(b"%PDF-1.4 all of it can be read"), "pdf");
        assert_eq!(extension(b"PK\x03\x04\0\0"), "zip");
        assert_eq!(extension(b"MZ\x90\0"), "bin");
        assert_eq!(extension(b"\0\x01\x02"), "bin");
    }

    #[test]
    fn text_is_what_can_be_read_and_has_no_markup() {
        for text in ["hi", "你好", "BMW is a car", "ID3 is a tag", "1 < 2", "a\tb\r\n", "#!/bin/sh\necho hi\n"] {
            assert_eq!(extension(text), "txt", "{text}");
        }
        let cut = "猫".repeat(HEAD_BYTES);
        assert_eq!(extension(&cut.as_bytes()[..HEAD_BYTES]), "txt");
        for text in [
            "<html><script>x()</script>",
            "  <svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
            "<?xml version='1.0'?><x/>",
            "hello <img src=x onerror=x()>",
            "GIF89a/*<html><script>x()</script>*/",
            "BM<script>x()</script>",
            "<!-- x -->",
            "a\x1b[31mb",
        ] {
            assert_eq!(extension(text), "bin", "{text}");
        }
    }

    #[test]
    fn every_kind_can_be_found_again_by_its_extension() {
        for kind in KINDS.iter().chain([UNKNOWN]) {
            assert_eq!(Kind::by_extension(kind.extension), Some(kind));
            let is_safe =
                ["image/", "audio/", "video/", "text/plain"].iter().any(|safe| kind.media_type.starts_with(safe));
            assert_eq!(kind.is_inline, is_safe && !kind.media_type.contains("svg"));
        }
    }

    proptest! {
        #[test]
        fn markup_is_never_shown(before in ".{0,20}", tag in "(script|html|svg|img|iframe|a)", after in ".{0,20}") {
            let text = format!("{before}<{tag}{after}");
            prop_assert!(!Kind::of(text.as_bytes()).is_inline);
        }

        #[test]
        fn any_bytes_are_of_some_kind(
            start in prop::sample::select(SIGNATURES),
            rest in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let head = [start, &rest].concat();
            let kind = Kind::of(&head);
            prop_assert_eq!(Kind::by_extension(kind.extension), Some(kind));
            prop_assert!(kind.extension != "txt" || (is_text(&head) && !has_markup(&head)));
        }
    }
}
