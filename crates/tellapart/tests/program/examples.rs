//! Runs the examples of the library; each asserts what it shows.

#[path = "../../../../examples/audit_encoder.rs"]
mod audit_encoder;
#[path = "../../../../examples/bisimulation.rs"]
mod bisimulation;
#[path = "../../../../examples/evidence.rs"]
mod evidence;
#[path = "../../../../examples/own_objective.rs"]
mod own_objective;
#[path = "../../../../examples/own_world.rs"]
mod own_world;
#[path = "../../../../examples/read_run.rs"]
mod read_run;
#[path = "../../../../examples/train_recording.rs"]
mod train_recording;

#[test]
fn an_encoder_is_audited() {
    audit_encoder::main().unwrap();
}

#[test]
fn a_table_has_its_largest_bisimulation() {
    bisimulation::main().unwrap();
}

#[test]
fn a_recording_distinguishes_its_observations() {
    evidence::main().unwrap();
}

#[test]
fn a_run_is_read() {
    read_run::main().unwrap();
}

#[test]
fn a_recording_is_trained_on() {
    train_recording::main().unwrap();
}

#[test]
fn an_objective_of_ones_own_is_trained_on() {
    own_objective::main().unwrap();
}

#[test]
fn a_world_of_ones_own_has_its_classes() {
    own_world::main().unwrap();
}
