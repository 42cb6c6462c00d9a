//! A release binary carries the files of `static/`; it must be built again when they change.

fn main() {
    for path in ["index.html", "style.css", "images", "package-lock.json", "node_modules/socket.io-client/dist"] {
        println!("cargo:rerun-if-changed=static/{path}");
    }
    println!("cargo:rerun-if-changed=migrations");
}
