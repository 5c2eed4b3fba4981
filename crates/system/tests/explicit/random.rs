//! Random models in all forms against their tables.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_system::{ActionId, StateId, read};

use crate::files::Files;

/// A random deterministic model as tables: the obvious reference of what the files mean.
struct Tables {
    next: Vec<Vec<Option<u32>>>,
    labels: Vec<[bool; 2]>,
    /// Rewards in sixths, so that they are decimals or not.
    state_rewards: Vec<Vec<u32>>,
    action_rewards: Vec<Vec<Vec<u32>>>,
}

impl Tables {
    fn new(random: &mut ChaCha8Rng, actions: usize, structures: usize) -> Self {
        let states = random.random_range(1..8_usize);
        let mut numbers = |count: usize, below: u32| -> Vec<u32> {
            (0..count).map(|_| random.random_range(0..below)).collect()
        };
        let targets = |_| {
            let row = numbers(actions, states as u32 + 1);
            let exists = |target: u32| (target < states as u32).then_some(target);
            row.into_iter().map(exists).collect()
        };
        let next = (0..states).map(targets).collect();
        Self {
            next,
            labels: (0..states)
                .map(|_| [0, 1].map(|_| numbers(1, 2) == [1]))
                .collect(),
            state_rewards: (0..structures).map(|_| numbers(states, 3)).collect(),
            action_rewards: (0..structures)
                .map(|_| (0..states).map(|_| numbers(actions, 3)).collect())
                .collect(),
        }
    }

    fn transitions(&self) -> impl Iterator<Item = (usize, usize, u32)> {
        let rows = self.next.iter().enumerate();
        let entry = |state| move |(action, &to): (usize, &Option<u32>)| Some((state, action, to?));
        rows.flat_map(move |(state, row)| row.iter().enumerate().filter_map(entry(state)))
    }

    /// Whether two states have equal outputs, by the definition.
    fn agree(&self, a: usize, b: usize) -> bool {
        let enabled = |state: usize| {
            self.next[state]
                .iter()
                .map(Option::is_some)
                .collect::<Vec<_>>()
        };
        let rewards = |state: usize, structure: usize| -> Vec<u32> {
            let rewards = self.action_rewards[structure][state].iter();
            let exists = self.next[state].iter();
            rewards
                .zip(exists)
                .map(|(&reward, to)| to.map_or(0, |_| reward))
                .collect()
        };
        let all = 0..self.state_rewards.len();
        enabled(a) == enabled(b)
            && self.labels[a] == self.labels[b]
            && self
                .state_rewards
                .iter()
                .all(|rewards| rewards[a] == rewards[b])
            && all
                .into_iter()
                .all(|structure| rewards(a, structure) == rewards(b, structure))
    }
}

/// Writes a number of sixths in one of several ways.
fn sixths(random: &mut ChaCha8Rng, number: u32) -> String {
    let times = random.random_range(1..5);
    match number {
        3 if random.random() => "0.5".to_owned(),
        6 if random.random() => "1.0".to_owned(),
        number => format!("{}/{}", number * times, 6 * times),
    }
}

fn shuffled(random: &mut ChaCha8Rng, mut lines: Vec<String>) -> String {
    for last in (1..lines.len()).rev() {
        lines.swap(last, random.random_range(0..=last));
    }
    lines.concat()
}

/// Random models in all forms, with probabilities in pieces, lines in any order and numbers
/// written in several ways, mean what their tables say.
#[test]
fn random_models_mean_what_their_tables_say() {
    for seed in 0..400 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let random = &mut random;
        let form = random.random_range(0..4);
        let (is_chain, first) = (form >= 2, u32::from(form == 3));
        let actions = if is_chain {
            1
        } else {
            random.random_range(1..4)
        };
        let structures = random.random_range(0..3);
        let tables = Tables::new(random, actions, structures);
        let states = tables.next.len();

        let key = |state: usize, action: usize, to: u32| match is_chain {
            true => format!("{} {}", state as u32 + first, to + first),
            false => format!("{state} {action} {to}"),
        };
        let mut lines = Vec::new();
        for (state, action, to) in tables.transitions() {
            let pieces = random.random_range(1..7_u32);
            let named = if form == 0 {
                format!(" act{action}")
            } else {
                String::new()
            };
            for _ in 0..pieces {
                let share = sixths(random, 6 / pieces);
                let share = if 6 % pieces == 0 {
                    share
                } else {
                    format!("1/{pieces}")
                };
                lines.push(format!("{} {share}{named}\n", key(state, action, to)));
            }
            if random.random() {
                let other = random.random_range(0..states as u32);
                lines.push(format!("{} 0.0{named}\n", key(state, action, other)));
            }
        }
        // Numbers of choices are below that of all choices.
        let choices = tables.transitions().count().max(actions);
        let head = match form {
            0 => format!("{states} {choices} {}\n", lines.len()),
            1 => "mdp\n".to_owned(),
            2 => format!("{states} {}\n", lines.len()),
            _ => format!("STATES {states}\nTRANSITIONS {}\n", lines.len()),
        };
        let counted = tables
            .transitions()
            .map(|(state, _, to)| to.max(state as u32));
        if form == 1 && counted.max() != Some(states as u32 - 1) {
            // The form of Storm cannot say that there are more states.
            continue;
        }
        // In this form, the numbers of choices are below that of lines.
        if form == 1 && lines.len() < actions {
            continue;
        }
        let mut files = vec![("m.tra".to_owned(), head + &shuffled(random, lines))];

        let labeled = (0..states).map(|state| {
            let [a, b] = tables.labels[state].map(u32::from);
            let shown = state as u32 + first;
            match form {
                0 => format!(
                    "{state}:{}{}\n",
                    " 2".repeat(a as usize),
                    " 1".repeat(b as usize)
                ),
                _ => format!(
                    "{shown}{}{}\n",
                    " one".repeat(a as usize),
                    " two".repeat(b as usize)
                ),
            }
        });
        let declared = match form {
            0 => "0=\"init\" 1=\"two\" 2=\"one\"\n",
            _ => "#DECLARATION\ninit one two\n#END\n",
        };
        let labeled = labeled.collect();
        files.push((
            "m.lab".to_owned(),
            declared.to_owned() + &shuffled(random, labeled),
        ));

        for structure in 0..structures {
            let of_states = tables.state_rewards[structure].iter().enumerate();
            let of_states = of_states.filter(|&(_, &reward)| reward > 0);
            let lines: Vec<String> = of_states
                .map(|(state, &reward)| {
                    format!("{} {}\n", state as u32 + first, sixths(random, reward))
                })
                .collect();
            let head = match form {
                0 | 2 => format!("{states} {}\n", lines.len()),
                _ => String::new(),
            };
            let name = format!("m{}.srew", structure + 1);
            files.push((name, head + &shuffled(random, lines)));
            let rewards = &tables.action_rewards[structure];
            let lines: Vec<String> = tables
                .transitions()
                .filter(|&(state, action, _)| rewards[state][action] > 0)
                .map(|(state, action, to)| {
                    let reward = sixths(random, rewards[state][action]);
                    format!("{} {reward}\n", key(state, action, to))
                })
                .collect();
            let head = match form {
                0 => format!("{states} {choices} {}\n", lines.len()),
                2 => format!("{states} {}\n", lines.len()),
                _ => String::new(),
            };
            let name = format!("m{}.trew", structure + 1);
            files.push((name, head + &shuffled(random, lines)));
        }
        let named: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (&name[..], &text[..]))
            .collect();
        let folder = Files::new(&named);
        let machine = match read::any(folder.at("m.tra")) {
            Ok(machine) => machine,
            Err(error) => panic!("seed {seed}: {error}\n{files:#?}"),
        };
        assert_eq!(machine.states(), states, "seed {seed}");
        for a in 0..states {
            for b in 0..states {
                let same = machine.output_table()[a] == machine.output_table()[b];
                assert_eq!(
                    same,
                    tables.agree(a, b),
                    "seed {seed}: {a}, {b}\n{files:#?}"
                );
            }
        }
        for (state, action, to) in tables.transitions() {
            let name = format!("act{action}");
            // Columns are in the order of choices, or of names.
            let is_it = |id: &ActionId| match form {
                0 => machine.action_name(*id) == Some(&name),
                _ => true,
            };
            let mut found = machine.action_ids().filter(is_it);
            let state = StateId::from_index(state);
            let reached = found.any(|id| machine.successor(state, id) == StateId::new(to));
            assert!(reached, "seed {seed}");
        }
    }
}
