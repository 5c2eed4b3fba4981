//! Independent random streams, one for each purpose, all derived from the seed of the run.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// Purpose of a random stream. Each purpose has its own stream, so that a longer run, for example,
/// is validated on the same observations as a shorter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial parameters.
    Initialization = 1,
    /// The environment and the behavior policy during training.
    Experience = 2,
    /// Noise on the latents in training.
    Noise = 3,
    /// Choice of the windows drawn from the replay buffer or a recording.
    Sampling = 4,
    /// Random auxiliary function.
    Target = 5,
    /// Observations for validation during training.
    Validation = 6,
    /// Observations for the final evaluation, seen by nothing else.
    HeldOut = 7,
    /// Initial parameters and observations of the decoder.
    Decoder = 8,
    /// Choice of the held-out episodes of a recorded data set.
    Split = 9,
    /// Held-out episodes that are audited without ground truth.
    Recording = 10,
}

/// Returns the generator of a purpose.
pub fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose as u64);
    rng
}

/// Returns the generator of a purpose for one update. A resumed run therefore needs no stored
/// generator.
pub fn generator_at(seed: u64, purpose: Purpose, update: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((update << 8) | purpose as u64);
    rng
}

/// Returns a seed for something that makes its own streams, such as an environment.
pub fn derived_seed(seed: u64, purpose: Purpose) -> u64 {
    generator(seed, purpose).next_u64()
}
