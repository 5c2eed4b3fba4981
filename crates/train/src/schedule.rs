//! Schedules of the learning rate and of the weights of losses.

use crate::config::{OptimizerConfig, WeightConfig};

/// Returns the share of the peak learning rate at `update` (0-based): linear warm-up, then a cosine
/// down to `final_rate`.
pub fn rate(config: &OptimizerConfig, update: u64) -> f64 {
    let warm = ((update + 1) as f64 / config.warmup.max(1) as f64).min(1.0);
    let span = config.updates.saturating_sub(config.warmup).max(1) as f64;
    let progress = (update.saturating_sub(config.warmup) as f64 / span).min(1.0);
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
    warm * (config.final_rate + (1.0 - config.final_rate) * cosine)
}

/// Returns the weight of a loss at `update`: the floor, then a linear rise to the whole weight.
///
/// `L_dyn` needs a ramp because it alone is smallest when everything is mapped to one point. At
/// full weight from the start, it shrinks the latents before `L_p` has drawn them apart.
pub fn weight(config: &WeightConfig, update: u64) -> f32 {
    let risen = if update >= config.ramp_end {
        1.0
    } else {
        let span = (config.ramp_end - config.ramp_start).max(1) as f32;
        update.saturating_sub(config.ramp_start) as f32 / span
    };
    config.weight * (config.ramp_floor + (1.0 - config.ramp_floor) * risen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_its_floor() {
        let config = OptimizerConfig {
            updates: 100,
            warmup: 10,
            ..Default::default()
        };
        assert!((rate(&config, 0) - 0.1).abs() < 1e-12);
        assert!((rate(&config, 10) - 1.0).abs() < 1e-12);
        assert!(rate(&config, 99) < 0.03 && rate(&config, 99) >= config.final_rate);
        for update in 10..99 {
            assert!(rate(&config, update + 1) <= rate(&config, update));
        }
    }

    #[test]
    fn the_ramp_goes_from_floor_to_full() {
        let config = WeightConfig {
            weight: 2.0,
            ramp_floor: 0.05,
            ramp_start: 100,
            ramp_end: 500,
        };
        assert!((weight(&config, 0) - 0.1).abs() < 1e-6);
        assert!((weight(&config, 300) - 2.0 * 0.525).abs() < 1e-6);
        assert_eq!(weight(&config, 500), 2.0);
        let flat = WeightConfig {
            ramp_start: 0,
            ramp_end: 0,
            ..config
        };
        assert_eq!(weight(&flat, 0), 2.0);
    }
}
