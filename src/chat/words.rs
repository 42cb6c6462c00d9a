//! The words of a text, as they are kept for searching.
//!
//! Writing without spaces (Chinese, Japanese, Korean) has no words that could be cut out by rule: there each pair of
//! neighbours counts as one, and the last character of a run for itself, so that a single character is found too, as
//! the beginning of a pair.

use std::collections::HashSet;

/// Different words of one message; further ones cannot be found.
const WORDS_MAX: usize = 2000;
/// Longer words are cut, here and in what is searched for.
const WORD_CHARS: usize = 32;
/// Words that are searched for together.
const TERMS_MAX: usize = 16;

/// Something to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub word: String,
    /// Whether longer words that begin so are meant too.
    pub is_beginning: bool,
}

/// The different words of `text`, at most 2,000.
pub fn words(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut words = Vec::new();
    for run in runs(text) {
        let pieces = match &run {
            Run::Word(word) => vec![word.clone()],
            Run::Dense(characters) => {
                characters.windows(2).map(String::from_iter).chain(characters.last().map(char::to_string)).collect()
            }
        };
        for piece in pieces {
            if words.len() == WORDS_MAX {
                return words;
            }
            if seen.insert(piece.clone()) {
                words.push(piece);
            }
        }
    }
    words
}

/// What `text` asks for: messages must have all of it. Empty if there is no word in it.
pub fn terms(text: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => terms.push(Term { word, is_beginning: true }),
            Run::Dense(characters) if characters.len() == 1 => {
                terms.push(Term { word: characters[0].to_string(), is_beginning: true });
            }
            Run::Dense(characters) => terms
                .extend(characters.windows(2).map(|pair| Term { word: String::from_iter(pair), is_beginning: false })),
        }
    }
    terms.truncate(TERMS_MAX);
    terms
}

/// Letters and digits that belong together.
enum Run {
    Word(String),
    Dense(Vec<char>),
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut was_letter = false;
    for character in text.chars().flat_map(char::to_lowercase) {
        let is_letter = character.is_alphanumeric();
        if is_letter {
            match (runs.last_mut().filter(|_| was_letter), is_dense(character)) {
                (Some(Run::Dense(run)), true) => run.push(character),
                (Some(Run::Word(run)), false) => {
                    if run.chars().count() < WORD_CHARS {
                        run.push(character);
                    }
                }
                (_, true) => runs.push(Run::Dense(vec![character])),
                (_, false) => runs.push(Run::Word(character.to_string())),
            }
        }
        was_letter = is_letter;
    }
    runs
}

/// Whether words of this script stand without spaces between them.
fn is_dense(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0eff}' | '\u{1100}'..='\u{11ff}' | '\u{3005}'..='\u{30ff}' | '\u{3130}'..='\u{318f}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(text: &str, query: &str) -> bool {
        let words = words(text);
        let terms = terms(query);
        !terms.is_empty()
            && terms.iter().all(|term| {
                words
                    .iter()
                    .any(|word| if term.is_beginning { word.starts_with(&term.word) } else { *word == term.word })
            })
    }

    #[test]
    fn words_and_pairs() {
        assert_eq!(words("Hello, hello WORLD2!"), ["hello", "world2"]);
        assert_eq!(words("我爱Rust语言"), ["我爱", "爱", "rust", "语言", "言"]);
        assert_eq!(words("😀 -- …"), [""; 0]);
    }

    #[test]
    fn any_part_of_chinese_and_any_beginning_of_words_is_found() {
        for query in ["明天", "天下", "下午三点", "点", "明", "会议", "Meet", "MEETING 下午", "meeting明天"]
        {
            assert!(found("明天下午三点 meeting 会议室", query), "{query}");
        }
        for query in ["天明", "eeting", "午点", "", " ", "!"] {
            assert!(!found("明天下午三点 meeting 会议室", query), "{query}");
        }
    }

    #[test]
    fn long_texts_are_bounded() {
        let many: String = (0..10_000).map(|n| format!("w{n} ")).collect();
        assert_eq!(words(&many).len(), WORDS_MAX);
        assert_eq!(terms(&many).len(), TERMS_MAX);
        let long = "x".repeat(100_000);
        assert_eq!(words(&long), ["x".repeat(WORD_CHARS)]);
        assert!(found(&long, &long));
    }

    proptest! {
        #[test]
        fn a_text_is_found_by_itself(text in any::<String>()) {
            prop_assert!(terms(&text).is_empty() || found(&text, &text));
        }

        #[test]
        fn words_have_no_spaces_and_no_quotes(text in any::<String>()) {
            prop_assert!(words(&text).iter().all(|word| !word.contains([' ', '"', '\'', '\\', '\0'])));
        }
    }
}
