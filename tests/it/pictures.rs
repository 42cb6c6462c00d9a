//! Pictures that are uploaded: their sizes, small ones of them, square ones, and those that mean harm.

use image::{GenericImageView, ImageFormat};
use serde_json::{Value, json};

use crate::support::{Form, Server, keys, picture};

/// The picture behind a path.
async fn fetched(server: &Server, url: &Value) -> image::DynamicImage {
    let bytes = server.get(url.as_str().unwrap()).await.bytes().await.unwrap();
    image::load_from_memory(&bytes).unwrap()
}

#[tokio::test]
async fn a_picture_comes_with_its_size_and_a_small_one() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    for (format, extension) in
        [(ImageFormat::Png, "png"), (ImageFormat::Jpeg, "jpg"), (ImageFormat::Gif, "gif"), (ImageFormat::WebP, "webp")]
    {
        let bytes = picture(800, 200, format);
        let card = server.upload(&alee, Form::default().field("purpose", "message").and_file("cat.html", &bytes)).await;
        assert_eq!(keys(&card), ["height", "name", "size", "thumb", "type", "url", "width"]);
        assert_eq!(card["name"], "cat.html");
        assert_eq!((&card["width"], &card["height"]), (&json!(800), &json!(200)));
        assert_eq!((&card["size"], &card["type"]), (&json!(bytes.len()), &json!(format.to_mime_type())));
        assert!(card["url"].as_str().unwrap().ends_with(&format!(".{extension}")), "{card}");
        let response = server.get(card["url"].as_str().unwrap()).await;
        assert_eq!(response.headers()["content-type"], format.to_mime_type());
        assert_eq!(response.bytes().await.unwrap(), bytes, "the original is kept as it came");
        let thumb = fetched(&server, &card["thumb"]).await;
        assert_eq!(thumb.dimensions(), (480, 120));
    }
    let small = server.upload(&alee, Form::file("dot.png", picture(4, 4, ImageFormat::Png))).await;
    assert_eq!(small["thumb"], small["url"], "a small picture is its own small picture");
}

#[tokio::test]
async fn avatars_are_square_small_and_tell_nothing() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    let avatar = |bytes: Vec<u8>| Form::default().field("purpose", "avatar").and_file("me.jpg", bytes);
    let card = server.upload(&alee, avatar(turned(1200, 800, 6))).await;
    assert_eq!((&card["width"], &card["height"], &card["type"]), (&json!(512), &json!(512), &json!("image/jpeg")));
    let bytes = server.get(card["url"].as_str().unwrap()).await.bytes().await.unwrap();
    assert_eq!(card["size"], bytes.len());
    assert!(!bytes.windows(4).any(|four| four == b"Exif"), "the camera's notes are gone");
    let image = image::load_from_memory(&bytes).unwrap();
    // Turned by a quarter, red is above and blue below.
    assert_eq!(image.dimensions(), (512, 512));
    assert!(is_red(&image, 256, 20) && is_blue(&image, 256, 490));
    let card = server.upload(&alee, avatar(picture(300, 100, ImageFormat::Png))).await;
    assert_eq!((&card["width"], &card["height"]), (&json!(100), &json!(100)), "small ones are not blown up");
    for none in [b"hello".to_vec(), b"%PDF-1.4".to_vec(), b"\x89PNG\r\n\x1a\n".to_vec(), claiming(50_000, 50_000)] {
        assert_eq!(server.refused(&alee, avatar(none)).await, (400, "not_a_picture".to_owned()));
    }
    assert_eq!(server.database.number("select count(*) from files").await, 2);
    assert_eq!(server.files_on_disk().len(), 2);
}

#[tokio::test]
async fn pictures_are_shown_the_right_way_up() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    for (orientation, expected) in [(1, (480, 320)), (3, (480, 320)), (6, (320, 480)), (8, (320, 480))] {
        let bytes = turned(1200, 800, orientation);
        let card = server.upload(&alee, Form::file("photo.jpg", &bytes)).await;
        let (width, height) = if expected.0 > expected.1 { (1200, 800) } else { (800, 1200) };
        assert_eq!((&card["width"], &card["height"]), (&json!(width), &json!(height)), "{orientation}");
        let thumb = fetched(&server, &card["thumb"]).await;
        assert_eq!(thumb.dimensions(), expected, "{orientation}");
        let red = match orientation {
            1 => (20, 160),
            3 => (460, 160),
            6 => (160, 20),
            _ => (160, 460),
        };
        assert!(is_red(&thumb, red.0, red.1), "{orientation}");
        let original = server.get(card["url"].as_str().unwrap()).await.bytes().await.unwrap();
        assert_eq!(original, bytes);
    }
}

#[tokio::test]
async fn bombs_cost_nothing() {
    let server = Server::start().await;
    let alee = server.person("alee").await;
    // A header that promises more than there is.
    let card = server.upload(&alee, Form::file("bomb.png", claiming(50_000, 50_000))).await;
    assert_eq!((&card["width"], &card["thumb"]), (&json!(50_000), &Value::Null));
    // A hundred megapixels that are really there, in a few kilobytes.
    let bomb = one_colour(10_000, 10_000);
    assert!(bomb.len() < 1_000_000);
    let card = server.upload(&alee, Form::file("bomb.png", bomb)).await;
    assert_eq!((&card["width"], &card["height"], &card["thumb"]), (&json!(10_000), &json!(10_000), &Value::Null));
    // Within the limit, but the bytes do not hold what the header says.
    let card = server.upload(&alee, Form::file("broken.png", claiming(1000, 1000))).await;
    assert_eq!((&card["width"], &card["thumb"]), (&json!(1000), &Value::Null));
    // Only the first bytes are those of a picture.
    let card = server.upload(&alee, Form::file("none.png", b"\x89PNG\r\n\x1a\n\0\0nothing of it")).await;
    assert_eq!(card["type"], "application/octet-stream");
    assert_eq!(server.metric("nodeim_uploads_total").await, 4.0);
}

fn is_red(image: &image::DynamicImage, x: u32, y: u32) -> bool {
    let [red, _, blue, _] = image.get_pixel(x, y).0;
    red > 200 && blue < 60
}

fn is_blue(image: &image::DynamicImage, x: u32, y: u32) -> bool {
    let [red, _, blue, _] = image.get_pixel(x, y).0;
    blue > 200 && red < 60
}

/// A JPEG with a camera's note of how to turn it.
fn turned(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let plain = picture(width, height, ImageFormat::Jpeg);
    let tiff =
        [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], b"\0\0\0\0\0\0"].concat();
    let mut exif = vec![0xff, 0xe1];
    exif.extend_from_slice(&u16::try_from(tiff.len() + 8).unwrap().to_be_bytes());
    exif.extend_from_slice(b"Exif\0\0");
    exif.extend_from_slice(&tiff);
    [&plain[..2], &exif, &plain[2..]].concat()
}

fn one_colour(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(width, height).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A PNG whose header says so, and whose pixels are those of a small one.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut png = one_colour(4, 4);
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let checksum = crc(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    png
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
