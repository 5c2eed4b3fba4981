//! One independent random stream for each purpose, all from the run's one seed.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What randomness is for. Each purpose has a stream of its own, so that, for example, a longer run
/// is validated on the same observations as a shorter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Initial parameters.
    Initialisation = 1,
    /// The environment and the behaviour policy during training.
    Experience = 2,
    /// Noise on the latents.
    Noise = 3,
    /// Which windows are drawn from the replay buffer.
    Sampling = 4,
    /// The random auxiliary function.
    Target = 5,
    /// Observations for validation during training.
    Validation = 6,
    /// Observations for the final evaluation, seen by nothing else.
    HeldOut = 7,
    /// The decoder's initial parameters and observations.
    Decoder = 8,
    /// Which episodes of a recorded data set are held out.
    Split = 9,
    /// Held-out episodes, audited without truth.
    Recording = 10,
}

/// The generator of one purpose.
pub fn generator(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(purpose as u64);
    rng
}

/// The generator of one update of one purpose: nothing has to be stored to resume a run.
pub fn generator_at(seed: u64, purpose: Purpose, update: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((update << 8) | purpose as u64);
    rng
}

/// A seed for something that makes streams of its own, such as an environment.
pub fn derived_seed(seed: u64, purpose: Purpose) -> u64 {
    generator(seed, purpose).next_u64()
}
