//! Errors in the configuration of a model or in its stored parameters.

/// Error of building or loading a model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A value that no model can have.
    #[error("`{key}` is {value}; expected {expected}")]
    BadConfig {
        /// Key in the configuration.
        key: &'static str,
        /// Value of the key.
        value: String,
        /// Description of possible values.
        expected: &'static str,
    },
    /// The stored parameters are not those of this model.
    #[error("parameter `{name}` {problem}; the checkpoint belongs to another configuration")]
    Parameter {
        /// Dotted name of the parameter.
        name: String,
        /// Description of the problem.
        problem: String,
    },
    /// The device was not compiled in, or does not exist.
    #[error("device `{name}` {problem}")]
    Device {
        /// Name of the device, as the user wrote it.
        name: String,
        /// Description of the problem, and what to do.
        problem: &'static str,
    },
}
