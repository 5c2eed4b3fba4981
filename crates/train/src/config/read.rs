//! Reading of configurations, from files and from `key.path=value` on the command line.

use std::path::{Path, PathBuf};

use tellapart_data::{ActionRule, BelongsTo};
use tellapart_env::World;
use tellapart_files::FileError;
use tellapart_model::encoder::EncoderConfig;
use tellapart_model::objective::Target;
use tellapart_settings::{Choice, Keys, SettingError, Settings};

use super::{Config, DataConfig, ValidConfig};

/// Error of reading or checking a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not text.
    #[error(
        "{path}: not a text file; a configuration is TOML, such as configs/joint-reward.toml (a recording \
         is trained on with data.source=FILE)",
        path = path.display()
    )]
    NotText {
        /// Path of the file.
        path: PathBuf,
    },
    /// A text or word that is no setting.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A key that an experiment sets itself.
    #[error(
        "{word}: the experiment sets this itself; use --seeds and --first-seed, or `train` for a run \
         of your own"
    )]
    Taken {
        /// The word.
        word: String,
    },
    /// A value that no run can have.
    #[error("`{key}` is {value}; expected {expected}")]
    Impossible {
        /// Full path of the key.
        key: String,
        /// The value.
        value: String,
        /// Description of possible values.
        expected: String,
    },
    /// The networks cannot be built, or the device is not available.
    #[error(transparent)]
    Model(#[from] tellapart_model::ModelError),
    /// An option of the environment has an impossible value.
    #[error("[environment]: {problem}")]
    Environment {
        /// The option, its value, and the possible values.
        problem: String,
    },
}

/// Reads a file, applies `overrides` (`key.path=value`) in order, and checks the result.
///
/// # Errors
/// An unreadable or malformed file, an unknown key (with the nearest known one), a value of the
/// wrong type, or one that no run can have.
pub fn read(path: &Path, overrides: &[String]) -> Result<ValidConfig, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::InvalidData => ConfigError::NotText {
            path: path.to_path_buf(),
        },
        _ => FileError::from_io(path, source).into(),
    })?;
    parse(
        &[ConfigLayer {
            text: &text,
            origin: &path.display().to_string(),
        }],
        overrides,
    )
}

/// Text of a configuration file, or of a layer that changes some keys of another.
#[derive(Debug, Clone, Copy)]
pub struct ConfigLayer<'a> {
    /// TOML text.
    pub text: &'a str,
    /// Name of the layer in errors.
    pub origin: &'a str,
}

/// Reads a configuration from texts, each laid over the one before it. Then applies `overrides` in
/// order, and checks the result.
///
/// # Errors
/// Like [`read`], except that no file is read.
pub fn parse(layers: &[ConfigLayer<'_>], overrides: &[String]) -> Result<ValidConfig, ConfigError> {
    let keys = keys();
    let mut settings = Settings::over(&keys, &Config::default());
    for ConfigLayer { text, origin } in layers {
        settings.layer(text, origin)?;
    }
    for word in overrides {
        settings.word(word)?;
    }
    settings.finish()?.validate()
}

/// Tables whose keys depend on a choice.
const CHOICES: [Choice; 3] = [
    Choice {
        table: "environment",
        tag: "world",
        default: "counting",
    },
    Choice {
        table: "model.encoder",
        tag: "kind",
        default: "cnn",
    },
    Choice {
        table: "gradients.target",
        tag: "kind",
        default: "same",
    },
];

/// Keys of earlier versions and their present names. The nearest known key would be another one.
const RENAMED: [(&str, &str); 16] = [
    ("data.copies", "data.num_envs"),
    ("model.dynamics", "model.predictor"),
    ("model.dynamics_layers", "model.predictor_layers"),
    ("model.cnn.normalise", "model.encoder.normalize"),
    ("model.cnn.normalize", "model.encoder.normalize"),
    ("model.cnn.channels", "model.encoder.channels"),
    ("model.cnn.kernels", "model.encoder.kernels"),
    ("model.cnn.strides", "model.encoder.strides"),
    ("model.cnn.hidden", "model.encoder.hidden"),
    ("optimizer.dynamics_rate", "optimizer.predictor_rate"),
    ("gradients.stop_target", "gradients.target"),
    ("loss.dynamics_weight", "loss.dynamics.weight"),
    ("loss.auxiliary_weight", "loss.auxiliary.weight"),
    ("loss.ramp_floor", "loss.dynamics.ramp_floor"),
    ("loss.ramp_start", "loss.dynamics.ramp_start"),
    ("loss.ramp_end", "loss.dynamics.ramp_end"),
];

/// Returns all keys, from configurations that have every key of every choice.
fn keys() -> Keys {
    let mut examples = Vec::new();
    for world in World::ALL {
        examples.push(Config {
            environment: world.every_option(),
            ..Config::default()
        });
    }
    for encoder in EncoderConfig::all() {
        let mut config = Config::default();
        config.model.encoder = encoder;
        examples.push(config);
    }
    for target in Target::all() {
        let mut config = Config::default();
        config.gradients.target = target;
        config.data = every_key_of_data();
        examples.push(config);
    }
    Keys::of(&examples)
        .with_choices(&CHOICES)
        .with_renamed(&RENAMED)
}

/// Returns data with every key. It names all fields, so that a new one cannot be forgotten here:
/// absent values are no keys.
fn every_key_of_data() -> DataConfig {
    let DataConfig {
        source,
        action_rule: _,
        observations: _,
        p_of: _,
        num_envs,
        window,
        windows,
        sampling,
        replay_rows,
        held_out,
    } = DataConfig::default();
    DataConfig {
        source,
        action_rule: Some(ActionRule::sign()),
        observations: Some(String::new()),
        p_of: Some(BelongsTo::default()),
        num_envs,
        window,
        windows,
        sampling,
        replay_rows,
        held_out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tellapart_env::WorldOptions;

    fn read_text(text: &str, overrides: &[&str]) -> Result<ValidConfig, ConfigError> {
        let overrides: Vec<String> = overrides.iter().map(|word| word.to_string()).collect();
        parse(
            &[ConfigLayer {
                text,
                origin: "run.toml",
            }],
            &overrides,
        )
    }

    fn error(text: &str, overrides: &[&str]) -> String {
        read_text(text, overrides).unwrap_err().to_string()
    }

    #[test]
    fn a_later_layer_changes_only_the_keys_it_has() {
        let one = ConfigLayer {
            text: "seed = 4\n[optimizer]\nupdates = 5\nwarmup = 2",
            origin: "a",
        };
        let two = ConfigLayer {
            text: "[optimizer]\nupdates = 6",
            origin: "b",
        };
        let config = parse(&[one, two], &[]).unwrap();
        assert_eq!(
            (
                config.seed,
                config.optimizer.updates,
                config.optimizer.warmup
            ),
            (4, 6, 2)
        );
    }

    #[test]
    fn defaults_are_a_valid_run_and_survive_being_written_down() {
        let config = read_text("", &[]).unwrap();
        let text = toml::to_string(&*config).unwrap();
        assert_eq!(read_text(&text, &[]).unwrap(), config);
    }

    #[test]
    fn overrides_win_and_bare_words_are_strings() {
        let words = [
            "optimizer.updates=7",
            "model.encoder=patch",
            "environment.max_steps = 9",
        ];
        let config = read_text("[optimizer]\nupdates = 5", &words).unwrap();
        assert_eq!(config.optimizer.updates, 7);
        assert_eq!(config.model.encoder.name(), "patch");
        let WorldOptions::Counting(environment) = &config.environment else {
            panic!("another world")
        };
        assert_eq!(environment.max_steps, 9);
    }

    #[test]
    fn unknown_keys_name_the_nearest_known_one() {
        let text = error("[optimizer]\nlearning_rat = 1.0", &[]);
        assert!(text.contains("`optimizer.learning_rat`"), "{text}");
        assert!(
            text.contains("did you mean `optimizer.learning_rate`"),
            "{text}"
        );
        let text = error("", &["optimiser.updates=3"]);
        assert!(text.contains("`optimizer.updates`"), "{text}");
        let text = error("", &["updates=3"]);
        assert!(text.contains("`optimizer.updates`"), "{text}");
    }

    #[test]
    fn renamed_keys_name_the_present_one() {
        for (old, name) in RENAMED {
            assert_eq!(keys().nearest(name).as_deref(), Some(name));
            assert_ne!(keys().nearest(old).as_deref(), Some(old));
            let text = error("", &[&format!("{old}=1")]);
            assert!(text.contains(&format!("is called `{name}`")), "{text}");
        }
    }

    #[test]
    fn impossible_values_say_what_would_do() {
        assert_eq!(
            error("", &["optimizer.updates=0"]),
            "`optimizer.updates` is 0; expected at least 1"
        );
        assert!(error("", &["optimizer.updates=many"]).contains("optimizer.updates=many"));
        assert!(error("", &["loss.latent_noise=nan"]).contains("loss.latent_noise"));
        assert!(error("", &["nonsense"]).contains("key.path=value"));
        assert!(error("[model", &[]).contains("run.toml"));
        assert!(error("", &["environment.target=99"]).contains("target"));
    }
}
