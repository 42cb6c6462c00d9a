//! A disk of a test's own, so small that it can be filled.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::process::{SERVE, without_settings};

/// A disk at a folder, which only those see who are started with [`Disk::server`].
pub(crate) struct Disk {
    /// Holds the place where the disk is to be seen.
    keeper: Child,
    folder: PathBuf,
}

/// Nothing of the tests lasts longer, should they be killed.
const LIFETIME: &str = "1800";
const BALLAST: &str = "ballast";

impl Disk {
    /// Makes one with these options of a tmpfs. Says so where nobody may make such a disk.
    pub(crate) fn mount(folder: &Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let script = format!(
            "mount -t tmpfs -o {options} tmpfs '{}' && echo mounted && exec sleep {LIFETIME}",
            folder.display()
        );
        let mut keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut line = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.trim() == "mounted" {
            return Some(Self { keeper, folder: folder.to_owned() });
        }
        let output = keeper.wait_with_output().unwrap();
        let why = String::from_utf8_lossy(&output.stderr);
        let note = format!("NOT RUN: no disk can be made here: {}\n", why.trim());
        // Not by a macro, whose words nobody sees of a test that passes.
        std::io::stderr().write_all(note.as_bytes()).unwrap();
        None
    }

    /// A server where the disk is to be seen.
    pub(crate) fn server(&self, variables: &[(&str, &str)]) -> Command {
        let mut command = without_settings(Command::new("nsenter"));
        command.args(["--target", &self.keeper.id().to_string(), "--user", "--mount", "--preserve-credentials"]);
        command.arg(env!("CARGO_BIN_EXE_nodeim")).args(SERVE).envs(variables.iter().copied());
        command
    }

    /// Leaves no room.
    pub(crate) fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.inside().join(BALLAST)).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            let piece = vec![0; size];
            loop {
                match file.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => panic!("the ballast cannot be written: {error}"),
                }
            }
        }
    }

    /// Gives the room back.
    pub(crate) fn clear(&self) {
        std::fs::remove_file(self.inside().join(BALLAST)).unwrap();
    }

    /// The folder as those inside see it.
    fn inside(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.keeper.id()));
        root.join(self.folder.strip_prefix("/").unwrap())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // The disk goes with the last process that sees it.
        self.keeper.kill().unwrap();
        self.keeper.wait().unwrap();
    }
}
