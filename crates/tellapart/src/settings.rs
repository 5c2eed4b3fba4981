//! Parses the options of a world from `key=value` words of a command line.

use tellapart_env::{EnvError, ValidWorld, World, WorldOptions};
use tellapart_settings::{Choice, Keys, SettingError, Settings, words_of};

/// Error of words that do not make a world.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorldOptionError {
    /// A word that is no setting of the world.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The world is named already.
    #[error("{word}: the world is {world}, as named before its options")]
    World {
        /// The word.
        word: String,
        /// World that was named.
        world: World,
    },
    /// Values that no world can have.
    #[error(transparent)]
    Impossible(#[from] EnvError),
}

/// Returns a world whose default options are changed by `words` in their order.
///
/// Values are TOML, or the bare words that a shell leaves; a list may be given with commas alone.
///
/// ```
/// use tellapart::{World, WorldOptions, settings::world_options};
///
/// let words = ["actions=one-hot-3", "max_steps=10", "shapes=circle,line"];
/// let world = world_options(World::Counting, words)?;
/// let WorldOptions::Counting(options) = world.options() else { panic!() };
/// assert_eq!((options.max_steps, options.shapes.len()), (10, 2));
///
/// let error = world_options(World::Grid, ["max_step=10"]).unwrap_err();
/// assert!(error.to_string().contains("did you mean `max_steps`?"));
/// # Ok::<(), tellapart::settings::WorldOptionError>(())
/// ```
///
/// # Errors
/// A [`WorldOptionError`] that names the word, and the valid ones.
pub fn world_options<W: AsRef<str>>(
    world: World,
    words: impl IntoIterator<Item = W>,
) -> Result<ValidWorld, WorldOptionError> {
    let keys = Keys::of([&world.every_option()]).with_choices(&[Choice {
        table: "",
        tag: "world",
        default: world.name(),
    }]);
    let mut settings = Settings::<WorldOptions>::new(&keys);
    for word in words {
        let word = word.as_ref();
        if word
            .split('=')
            .next()
            .is_some_and(|key| key.trim() == "world")
        {
            return Err(WorldOptionError::World {
                word: word.to_owned(),
                world,
            });
        }
        settings.word(word)?;
    }
    Ok(settings.finish()?.validate()?)
}

/// Returns the words that make the options of this world again, one for each option that is not
/// absent.
#[must_use]
pub fn world_words(world: &ValidWorld) -> Vec<String> {
    let mut words = words_of(&world.options());
    words.retain(|word| !word.starts_with("world="));
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use tellapart_env::{counting, grid};

    fn counting_options(words: &[&str]) -> counting::Options {
        match world_options(World::Counting, words).unwrap().options() {
            WorldOptions::Counting(options) => options,
            other => panic!("{other:?}"),
        }
    }

    fn error(world: World, words: &[&str]) -> String {
        world_options(world, words).unwrap_err().to_string()
    }

    #[test]
    fn no_words_are_the_defaults() {
        for &world in World::ALL {
            let made = world_options(world, [""; 0]).unwrap();
            assert_eq!(made.options(), world.default_options());
        }
    }

    #[test]
    fn options_as_words_make_the_same_options() {
        let counting = counting::Options {
            start_count: Some(2),
            value: counting::Value::Dense,
            shapes: vec![counting::Shape::Line, counting::Shape::Square],
            ..counting::Options::default()
        };
        let grid = grid::Options {
            layout: ["G.#", "..."].map(str::to_owned).to_vec(),
            stay: true,
            ..grid::Options::default()
        };
        for (options, keys, word) in [
            (WorldOptions::Counting(counting), 14, "shapes=line,square"),
            (WorldOptions::Grid(grid), 9, "layout=G.#,..."),
        ] {
            let valid = options.validate().unwrap();
            let words = world_words(&valid);
            assert_eq!(words.len(), keys, "{words:?}");
            assert!(words.contains(&word.to_owned()), "{words:?}");
            assert_eq!(world_options(valid.world(), words).unwrap(), valid);
        }
    }

    #[test]
    fn lists_take_any_form_and_the_last_word_wins() {
        for shapes in [
            "shapes=line,circle",
            "shapes=[line, circle]",
            r#"shapes=["line","circle"]"#,
        ] {
            assert_eq!(counting_options(&[shapes]).shapes.len(), 2, "{shapes}");
        }
        assert_eq!(counting_options(&["shapes=line"]).shapes.len(), 1);
        assert_eq!(counting_options(&["target=1", "target = 2"]).target, 2);
    }

    #[test]
    fn errors_name_the_word_and_what_would_do() {
        for (world, word, expected) in [
            (World::Counting, "max_steps", "key.path=value"),
            (World::Counting, "colour_min=3", "did you mean `color_min`?"),
            (World::Counting, "zzz=3", "max_count"),
            (World::Counting, "max_steps=ten", "a whole number"),
            (World::Counting, "max_count=300", "300"),
            (World::Counting, "value=denser", "dense"),
            (World::Counting, "actions=one-hot-4", "continuous-3"),
            (World::Counting, "target=9", "at most max_count = 8"),
            (World::Counting, "shapes=", "at least one shape"),
            (World::Grid, "colour=3", "max_steps"),
            (World::Grid, "layout=..G,#x.", "'x' in column 1"),
            (World::Torus, "p=rows", "two-goals"),
            (World::Torus, "world=counting", "the world is torus"),
        ] {
            let text = error(world, &[word]);
            assert!(text.contains(expected), "{word}: {text}");
        }
        assert!(!error(World::Counting, &["zzz=3"]).contains("did you mean"));
    }
}
