//! Pictures: how large they are, small ones of them, square ones for profiles.
//!
//! Strangers send them, so nothing is decoded before the header says that it fits into a bounded piece of memory.

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::error::{ImageError, LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits};

/// The longest side of a small picture, and of one for a profile.
const THUMB_SIDE: u32 = 480;
const AVATAR_SIDE: u32 = 512;
/// A small picture whose file is small as well is its own thumbnail.
const MAX_OWN_THUMB_BYTES: u64 = 128 * 1024;
/// Larger files are not looked at: the JPEG reader takes the whole file into memory.
const MAX_FILE_BYTES: u64 = 64 << 20;
const JPEG_QUALITY: u8 = 85;
/// The largest pixel there is: four channels of 16 bits.
const MAX_PIXEL_BYTES: u64 = 8;
/// What decoders may take beside the picture itself: for colour profiles, which can be bombs, too, and the like.
const SPARE_BYTES: u64 = 16 << 20;

/// A picture as it is to be written.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) format: ImageFormat,
    pub(super) dimensions: (u32, u32),
}

/// The small picture of another one.
pub(super) enum Thumb {
    /// The picture itself is small enough.
    Itself,
    Made(Encoded),
    /// It is too large, or damaged.
    None,
}

/// Width and height as people see them, and the small picture. None if not even the header can be read.
pub(super) fn examine(path: &Path, format: ImageFormat, max_pixels: u64) -> Option<((u32, u32), Thumb)> {
    let mut decoder = open(path, format).ok()?;
    let (dimensions, orientation) = seen(&mut decoder);
    let is_small = dimensions.0.max(dimensions.1) <= THUMB_SIDE;
    if is_small && std::fs::metadata(path).is_ok_and(|file| file.len() <= MAX_OWN_THUMB_BYTES) {
        return Some((dimensions, Thumb::Itself));
    }
    let thumb = decode(decoder, orientation, max_pixels)
        .and_then(|image| encode(if is_small { image } else { image.thumbnail(THUMB_SIDE, THUMB_SIDE) }));
    Some((dimensions, thumb.map_or(Thumb::None, Thumb::Made)))
}

/// A square from the middle of a picture, without its metadata. None if it cannot be read, or is too large.
pub(super) fn avatar(path: &Path, format: ImageFormat, max_pixels: u64) -> Option<Encoded> {
    let mut decoder = open(path, format).ok()?;
    let (_, orientation) = seen(&mut decoder);
    let image = decode(decoder, orientation, max_pixels)?;
    let side = image.width().min(image.height());
    let square = image.crop_imm((image.width() - side) / 2, (image.height() - side) / 2, side, side);
    drop(image);
    encode(if side > AVATAR_SIDE { square.thumbnail_exact(AVATAR_SIDE, AVATAR_SIDE) } else { square })
}

fn open(path: &Path, format: ImageFormat) -> ImageResult<impl ImageDecoder> {
    let file = File::open(path)?;
    if file.metadata()?.len() > MAX_FILE_BYTES {
        return Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory)));
    }
    let mut reader = ImageReader::with_format(BufReader::new(file), format);
    reader.limits(limits(SPARE_BYTES));
    reader.into_decoder()
}

fn limits(max_alloc: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_alloc);
    limits
}

/// Cameras store pictures as the sensor lay and note how to turn them.
fn seen(decoder: &mut impl ImageDecoder) -> ((u32, u32), Orientation) {
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) = decoder.dimensions();
    let is_turned = matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    (if is_turned { (height, width) } else { (width, height) }, orientation)
}

fn decode(mut decoder: impl ImageDecoder, orientation: Orientation, max_pixels: u64) -> Option<DynamicImage> {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > max_pixels || pixels == 0 || decoder.total_bytes() > max_pixels * MAX_PIXEL_BYTES {
        return None;
    }
    decoder.set_limits(limits(max_pixels * MAX_PIXEL_BYTES + SPARE_BYTES)).ok()?;
    let mut image = DynamicImage::from_decoder(decoder).ok()?;
    image.apply_orientation(orientation);
    Some(image)
}

/// JPEG, which is smaller, unless something is transparent.
fn encode(image: DynamicImage) -> Option<Encoded> {
    let dimensions = (image.width(), image.height());
    let mut bytes = Vec::new();
    let format = if image.color().has_alpha() {
        image.into_rgba8().write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).ok()?;
        ImageFormat::Png
    } else {
        image.into_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)).ok()?;
        ImageFormat::Jpeg
    };
    Some(Encoded { bytes, format, dimensions })
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};
    use proptest::prelude::*;

    use super::*;

    const FORMATS: [ImageFormat; 4] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
    const MAX_PIXELS: u64 = 64 * 64;

    fn encoded(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let pixel = |x: u32, y: u32| Rgba([x as u8, y as u8, 128, if x > y { 255 } else { 0 }]);
        let picture = DynamicImage::from(RgbaImage::from_fn(width, height, pixel));
        let picture = if format == ImageFormat::Jpeg { DynamicImage::from(picture.into_rgb8()) } else { picture };
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    type Seen = ((u32, u32), Thumb);

    /// What becomes of these bytes, as a message's picture and as a profile's.
    fn look_at(bytes: &[u8], format: ImageFormat) -> (Option<Seen>, Option<Encoded>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        (examine(file.path(), format, MAX_PIXELS), avatar(file.path(), format, MAX_PIXELS))
    }

    #[test]
    fn small_pictures_are_read() {
        for format in FORMATS {
            let (seen, square) = look_at(&encoded(format, 20, 10), format);
            assert!(matches!(seen, Some(((20, 10), Thumb::Itself))), "{format:?}");
            assert_eq!(square.unwrap().dimensions, (10, 10), "{format:?}");
        }
    }

    proptest! {
        #[test]
        fn damaged_pictures_are_read_or_refused(
            format in prop::sample::select(&FORMATS[..]),
            (width, height) in (1_u32..40, 1_u32..40),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            cut in any::<prop::sample::Index>(),
            is_cut in any::<bool>(),
            other in prop::sample::select(&FORMATS[..]),
        ) {
            let mut bytes = encoded(format, width, height);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if is_cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            for format in [format, other] {
                let (_, square) = look_at(&bytes, format);
                if let Some(Encoded { dimensions: (width, height), .. }) = square {
                    prop_assert!(width == height && u64::from(width) * u64::from(height) <= MAX_PIXELS);
                }
            }
        }

        #[test]
        fn any_bytes_are_no_trouble(
            format in prop::sample::select(&FORMATS[..]),
            rest in prop::collection::vec(any::<u8>(), 0..400),
            kept in 0_usize..40,
        ) {
            let start = encoded(format, 3, 2);
            look_at(&[&start[..kept.min(start.len())], &rest].concat(), format);
        }
    }
}
