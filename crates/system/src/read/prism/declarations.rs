//! Parses the declarations of labels, and the labels of a state by them.

use std::collections::HashMap;
use std::io::Read;

use foldhash::fast::RandomState;

use crate::SystemError;
use crate::read::lines::Lines;
use crate::read::scan::{LineError, Scanner, error};

/// Labels that a file declares.
pub(super) struct Declarations {
    /// Meaning of each label, in order.
    meanings: Vec<Declared>,
    /// Number of each label, where lines name labels; where they number them, it is empty.
    by_name: Option<HashMap<Vec<u8>, usize, RandomState>>,
}

/// Meaning of a declared label.
#[derive(Clone, Copy)]
enum Declared {
    Init,
    Deadlock,
    Label(u32),
}

impl Declared {
    /// Returns the meaning of a name, and adds it to `names` unless it is built in.
    fn of(name: &str, names: &mut Vec<String>) -> Self {
        match name {
            "init" => Self::Init,
            "deadlock" => Self::Deadlock,
            name => {
                names.push(name.to_owned());
                Self::Label(names.len() as u32 - 1)
            }
        }
    }
}

/// Whether a line begins a declaration in the form of Storm and MRMC.
pub(super) fn is_declaration(line: &[u8]) -> bool {
    line.trim_ascii() == b"#DECLARATION"
}

impl Declarations {
    /// Parses declarations such as `0="init" 1="deadlock" 2="goal"`. Also returns the names,
    /// without `init` and `deadlock`.
    pub(super) fn numbered(line: &[u8]) -> Result<(Self, Vec<String>), LineError> {
        let mut scanner = Scanner::new(line);
        let (mut meanings, mut names) = (Vec::new(), Vec::<String>::new());
        let mut seen = std::collections::HashSet::with_hasher(RandomState::default());
        while scanner.skip_spaces() < line.len() {
            let at = scanner.at;
            let number = scanner.number("the number of a label")?;
            if number != meanings.len() as u64 {
                let problem = format!(
                    "expected label {}, labels are numbered 0, 1, 2, ...",
                    meanings.len()
                );
                return Err(error(at, problem));
            }
            scanner.expect(b"=\"", "`=\"` and the name of the label")?;
            let start = scanner.at;
            let Some(length) = memchr::memchr(b'"', &line[start..]) else {
                return Err(error(
                    start - 1,
                    "the quote that opens the name is not closed",
                ));
            };
            scanner.at = start + length + 1;
            let name = str::from_utf8(&line[start..start + length])
                .map_err(|_| error(start, "the name is not valid UTF-8"))?;
            if !seen.insert(name) {
                return Err(error(start, format!("label {name:?} is there already")));
            }
            if name.is_empty() {
                return Err(error(start, "the name of the label is empty"));
            }
            meanings.push(Declared::of(name, &mut names));
        }
        let by_name = None;
        Ok((Self { meanings, by_name }, names))
    }

    /// Reads the names between `#DECLARATION`, which was read already, and `#END`.
    pub(super) fn named(
        lines: &mut Lines<'_, impl Read>,
    ) -> Result<(Self, Vec<String>), SystemError> {
        let (mut meanings, mut names) = (Vec::new(), Vec::new());
        let mut by_name = HashMap::with_hasher(RandomState::default());
        loop {
            let Some(line) = lines.next()? else {
                return Err(lines.fail_at_end("the file ends before `#END` of its declaration"));
            };
            if line.trim_ascii() == b"#END" {
                let by_name = Some(by_name);
                return Ok((Self { meanings, by_name }, names));
            }
            let read = Self::add_names(line, &mut meanings, &mut by_name, &mut names);
            read.map_err(|error| lines.fail(error))?;
        }
    }

    fn add_names(
        line: &[u8],
        meanings: &mut Vec<Declared>,
        by_name: &mut HashMap<Vec<u8>, usize, RandomState>,
        names: &mut Vec<String>,
    ) -> Result<(), LineError> {
        let mut scanner = Scanner::new(line);
        loop {
            let at = scanner.skip_spaces();
            let word = scanner.word();
            if word.is_empty() {
                return Ok(());
            }
            let name =
                str::from_utf8(word).map_err(|_| error(at, "the name is not valid UTF-8"))?;
            if by_name.insert(word.to_vec(), meanings.len()).is_some() {
                return Err(error(at, format!("label {name:?} is there already")));
            }
            meanings.push(Declared::of(name, names));
        }
    }

    /// Whether lines name the labels of a state, instead of numbering them.
    pub(super) fn are_named(&self) -> bool {
        self.by_name.is_some()
    }

    /// Parses the labels of a state, such as `: 0 2` or ` init goal`. Returns them ascending, and
    /// whether `init` is among them.
    pub(super) fn of_state(&self, mut scanner: Scanner<'_>) -> Result<(Vec<u32>, bool), LineError> {
        if self.by_name.is_none() {
            scanner.expect(b":", "`:` after the state")?;
        }
        let (mut set, mut is_initial) = (Vec::new(), false);
        while scanner.skip_spaces() < scanner.line.len() {
            match self.next_label(&mut scanner)? {
                Declared::Init => is_initial = true,
                Declared::Deadlock => {}
                Declared::Label(label) => set.push(label),
            }
        }
        set.sort_unstable();
        set.dedup();
        Ok((set, is_initial))
    }

    fn next_label(&self, scanner: &mut Scanner<'_>) -> Result<Declared, LineError> {
        let at = scanner.at;
        let Some(by_name) = &self.by_name else {
            let number = scanner.number("the number of a label")?;
            let place = usize::try_from(number).unwrap_or(usize::MAX);
            return self.meanings.get(place).copied().ok_or_else(|| {
                let problem = format!(
                    "label {number} does not exist: the first line has {} labels",
                    self.meanings.len()
                );
                error(at, problem)
            });
        };
        let word = scanner.word();
        let place = by_name.get(word).copied();
        place.map(|place| self.meanings[place]).ok_or_else(|| {
            let name = String::from_utf8_lossy(word);
            error(
                at,
                format!("label {name:?} is not declared; add it before `#END`"),
            )
        })
    }
}
