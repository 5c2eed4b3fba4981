//! What can be wrong with a model's configuration or its stored parameters.

/// Why a model could not be built or loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A value that no model can have.
    #[error("`{key}` is {value}; expected {expected}")]
    BadConfig {
        /// The key in the configuration.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        expected: &'static str,
    },
    /// The stored parameters are not those of this model.
    #[error("parameter `{name}` {problem}; the checkpoint belongs to another configuration")]
    Parameter {
        /// Dotted name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The device was not compiled in, or does not exist.
    #[error("device `{name}` {problem}")]
    Device {
        /// As the user named it.
        name: String,
        /// What is wrong, and what to do.
        problem: &'static str,
    },
}
