//! What people and rooms may be called.

use super::error::{Error, Reason, Result};

const MAX_CHARS: usize = 64;
const MAX_INTRO_CHARS: usize = 512;
/// RFC 5321 allows no longer path.
const MAX_EMAIL_BYTES: usize = 254;
/// Room for the number that makes a name unique.
const MAX_DERIVED_CHARS: usize = 48;

/// Old clients write names into their pages as HTML, inside of event handlers too: names have no character that
/// could mean something there.
fn is_harmless(name: &str) -> bool {
    !name.chars().any(|c| c.is_control() || "<>\"'&\\".contains(c))
}

fn fits(name: &str, max_chars: usize) -> bool {
    name.chars().take(max_chars + 1).count() <= max_chars
}

/// Checks a user name: 1 to 64 characters, compared exactly.
pub(super) fn check_username(name: &str) -> Result<()> {
    let good = !name.trim().is_empty() && fits(name, MAX_CHARS) && is_harmless(name);
    if good { Ok(()) } else { Err(Error::Forbidden(Reason::BadUsername)) }
}

/// Whether an account may be found under this email address: anything short without control characters. Old servers
/// asked for no more, and an address proves nothing here.
pub(super) fn is_email(email: &str) -> bool {
    !email.trim().is_empty() && email.len() <= MAX_EMAIL_BYTES && !email.chars().any(char::is_control)
}

/// A user name for whom has none but an email address: the part before the `@`, as far as names may have it. May be
/// empty.
pub(super) fn from_email(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    let name: String = local.chars().filter(|c| is_harmless(c.encode_utf8(&mut [0; 4]))).collect();
    name.trim().chars().take(MAX_DERIVED_CHARS).collect()
}

/// Checks the name of a room or of a group of friends: 1 to 64 characters.
pub(super) fn check_name(name: &str) -> Result<()> {
    let good = !name.trim().is_empty() && fits(name, MAX_CHARS) && is_harmless(name);
    if good { Ok(()) } else { Err(Error::Invalid(Reason::BadName)) }
}

/// Checks a room's introduction: at most 512 characters.
pub(super) fn check_intro(intro: &str) -> Result<()> {
    if fits(intro, MAX_INTRO_CHARS) { Ok(()) } else { Err(Error::Invalid(Reason::TextTooLong)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn emails_give_names() {
        for (email, name) in [
            ("alee@example.com", "alee"),
            ("o'neil <x>@example.com", "oneil x"),
            ("@example.com", ""),
            ("李小龙@example.com", "李小龙"),
            ("no at", "no at"),
        ] {
            assert_eq!(from_email(email), name);
            assert!(name.is_empty() || check_username(name).is_ok());
        }
        assert!(is_email("a") && is_email(&"a".repeat(254)));
        assert!(!is_email("") && !is_email(" ") && !is_email("a\0") && !is_email(&"a".repeat(255)));
    }

    #[test]
    fn names_have_a_length_and_no_markup() {
        for name in ["alee", "李小龙", "a b", &"字".repeat(64)] {
            assert!(check_username(name).is_ok(), "{name}");
        }
        for name in ["", " ", "a<b", "o'neil", "a\"", "a&b", "a\\", "a\u{0}b", "a\nb", &"字".repeat(65)] {
            assert!(check_username(name).is_err(), "{name:?}");
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_made_of_an_email_can_be_a_name(email in any::<String>(), near in "[ \\t<'&a@猫]{0,80}@?.{0,9}") {
            for email in [email, near] {
                let name = from_email(&email);
                prop_assert!(name.is_empty() || check_username(&name).is_ok(), "{name:?}");
            }
        }

        #[test]
        fn names_that_are_accepted_mean_nothing_in_a_page(name in any::<String>()) {
            if check_username(&name).is_ok() || check_name(&name).is_ok() {
                prop_assert!(name.chars().count() <= MAX_CHARS && !name.contains(['<', '>', '"', '\'', '&', '\\', '\0']));
            }
        }
    }
}
