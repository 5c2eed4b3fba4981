//! Live training in every world but the counting world, which the other tests train in.

use std::collections::BTreeSet;

use tellapart_progress::Progress;
use tellapart_train::observer::LabeledLatents;
use tellapart_train::{Observer, ValidConfig, train};

use crate::common::{assert_resumes, tiny_in};

const GRID: &str = r#"
[environment]
world = "gridworld"
layout = ["..", ".G"]
tints = 2
stay = true
max_steps = 5
"#;

const TORUS: &str = r#"
[environment]
world = "torus"
side = 4
image_side = 16
p = "goal"
tints = 2
max_steps = 5
"#;

/// Observer that gathers the hidden states that were validated.
#[derive(Default)]
struct States(BTreeSet<u32>);

impl Progress for States {}

impl Observer for States {
    fn measures(&self) -> &[&'static str] {
        &["rows"]
    }

    fn measure(&mut self, latents: LabeledLatents<'_>) -> Vec<Option<f64>> {
        self.0.extend(latents.states);
        assert_eq!(latents.values.len(), latents.states.len() * latents.width);
        vec![Some(latents.states.len() as f64)]
    }
}

fn assert_trains(config: &ValidConfig, actions: usize, states: u32) {
    let what = config.world().world().name();
    let mut seen = States::default();
    let trained = train(config, None, &mut seen).unwrap();
    assert_eq!(trained.interface.actions, actions, "{what}");
    assert_eq!(trained.interface.action_width, actions, "{what}");
    // Validation is balanced over all states.
    assert_eq!(seen.0, BTreeSet::from_iter(0..states), "{what}");
    let last = trained.records.last().unwrap();
    assert_eq!((last.update, trained.updates), (12, 12), "{what}");
    for name in ["loss_dynamics", "loss_auxiliary", "gradient_norm_encoder"] {
        let value = last.get(name).unwrap();
        assert!(value.is_finite() && value > 0.0, "{what}, {name}: {value}");
    }
    let validated = trained.records.iter();
    let validated: Vec<u64> = validated
        .filter(|record| record.get("validation_loss_auxiliary").is_some())
        .map(|record| record.update)
        .collect();
    assert_eq!(validated, [4, 8, 12], "{what}");
    assert!(last.get("rows").unwrap() >= f64::from(2 * 4 * states));
}

#[test]
fn the_gridworld_trains_live_and_resumes() {
    // Each action has its own network.
    let config = tiny_in(GRID, &[]);
    assert_trains(&config, 5, 4);
    let folder = tempfile::tempdir().unwrap();
    let words = &[
        "data.num_envs=3",
        "data.sampling=uniform",
        "model.predictor=plain",
    ];
    assert_resumes(&tiny_in(GRID, words), folder.path(), "gridworld");
}

#[test]
fn the_torus_trains_live_and_resumes() {
    let config = tiny_in(TORUS, &["model.encoder=vit", "model.encoder.depth=1"]);
    assert_trains(&config, 4, 16);
    let folder = tempfile::tempdir().unwrap();
    let words = &["data.num_envs=2", "target.kind=random", "target.width=3"];
    assert_resumes(&tiny_in(TORUS, words), folder.path(), "torus");
}
