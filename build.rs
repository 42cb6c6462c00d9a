//! A release binary carries the files of `static/`; it must be built again when they change.

fn main() {
    // npm writes its own lock file into node_modules at the end of each installation.
    let own = ["index.html", "classic.html", "app", "classic", "css", "images"];
    for path in own.into_iter().chain(["package-lock.json", "node_modules/.package-lock.json"]) {
        println!("cargo:rerun-if-changed=static/{path}");
    }
    println!("cargo:rerun-if-changed=migrations");
}
