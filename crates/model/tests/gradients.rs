//! Gradients of the losses, compared with finite differences, and where they must not flow.
//!
//! Differences are taken of the reference in f64, which `losses.rs` compares with the losses: there
//! a step can be so small that neither rounding nor a kink of ReLU matters.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

mod reference;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use reference::{LATENT, ROWS, Reference, Row, Rows, covariance, random_model, variance};
use tellapart_model::Pjepa;
use tellapart_model::objective::{
    Auxiliary, Covariance, Distance, Dynamics, EmaTarget, Objective, Target, TargetEncoder,
    Variance, Views,
};
use tellapart_model::parameters::{parameters, with_parameters};

const STEP: f64 = 1e-5;
/// Number of parameters of each tensor that differences are taken of.
const HANDFUL: usize = 5;
const DISTANCES: [Distance; 2] = [Distance::Squared, Distance::Cosine];

/// Gradient of every parameter by name; `None` where the loss does not depend on it.
type ByName = BTreeMap<String, Option<Vec<f32>>>;

struct Collector<'a> {
    gradients: &'a Gradients,
    path: Vec<Option<String>>,
    found: ByName,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        let is_variant = container.starts_with("Enum:");
        // Tensors have the name of the predictor in checkpoints.
        let name = if name == "predictor" {
            "dynamics"
        } else {
            name
        };
        self.path.push((!is_variant).then(|| name.to_owned()));
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path: Vec<&str> = self.path.iter().flatten().map(String::as_str).collect();
        let gradient = param.val().grad(self.gradients);
        let gradient = gradient.map(|found| found.into_data().iter::<f32>().collect());
        self.found.insert(path.join("."), gradient);
    }
}

fn by_name<M: Module>(module: &M, gradients: &Gradients) -> ByName {
    let mut collector = Collector {
        gradients,
        path: Vec::new(),
        found: BTreeMap::new(),
    };
    module.visit(&mut collector);
    let names: Vec<String> = parameters(module).into_keys().collect();
    assert_eq!(Vec::from_iter(collector.found.keys().cloned()), names);
    collector.found
}

fn part<'a>(found: &'a ByName, network: &str) -> Vec<&'a Option<Vec<f32>>> {
    let of = found.iter().filter(|(name, _)| name.starts_with(network));
    of.map(|(_, gradient)| gradient).collect()
}

/// Whether every gradient of a network is absent or exactly zero.
fn is_blocked(found: &ByName, network: &str) -> bool {
    let all = part(found, network).into_iter().flatten();
    all.flatten().all(|&value| value == 0.0)
}

/// Whether every parameter of a network has a gradient, which is not zero.
fn is_reached(found: &ByName, network: &str) -> bool {
    let reached = |values: &Vec<f32>| values.iter().any(|&value| value != 0.0);
    let mut all = part(found, network).into_iter();
    all.all(|gradient| gradient.as_ref().is_some_and(reached))
}

/// Loss of the reference at its parameters.
type LossOf<'a> = &'a dyn Fn(&Reference) -> f64;

/// Compares gradients with central differences of `loss`, in a random handful of each tensor.
fn assert_differences(what: &str, seed: u64, found: &ByName, at: &Reference, loss: LossOf<'_>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for (name, gradient) in found {
        for _ in 0..HANDFUL {
            let place = rng.random_range(0..at.0[name].len());
            let moved = |by: f64| {
                let mut moved = at.clone();
                moved.0.get_mut(name).unwrap()[place] += by;
                loss(&moved)
            };
            let expected = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            let found = gradient.as_ref().map_or(0.0, |values| values[place]);
            assert!(
                (f64::from(found) - expected).abs() < 1e-5 + 1e-4 * expected.abs(),
                "{what}, seed {seed}, {name}[{place}]: {found}, by differences {expected}"
            );
        }
    }
}

/// Loss of the reference on rows.
type ReferenceLoss = Box<dyn Fn(&Reference, &Rows) -> f64>;

#[test]
fn gradients_of_every_objective_are_its_differences() {
    let device = Device::flex().autodiff();
    let mut objectives: Vec<(Box<dyn Objective>, ReferenceLoss)> = vec![
        (
            Box::new(Auxiliary {
                reaches_encoder: true,
            }),
            Box::new(|reference, rows| reference.auxiliary(rows, &reference.encode(rows))),
        ),
        (
            Box::new(Variance),
            Box::new(|reference, rows| variance(&reference.encode(rows))),
        ),
        (
            Box::new(Covariance),
            Box::new(|reference, rows| covariance(&reference.encode(rows))),
        ),
    ];
    for distance in DISTANCES {
        objectives.push((
            Box::new(Dynamics {
                reaches_encoder: true,
                distance,
            }),
            Box::new(move |reference, rows| {
                let latents = reference.encode(rows);
                reference.dynamics(rows, distance, &latents, &latents)
            }),
        ));
    }
    for seed in 0..4 {
        let (model, rows) = (random_model(seed, &device), Rows::random(100 + seed));
        let (reference, batch) = (Reference::of(&model), rows.batch(&device));
        for (objective, expected) in &objectives {
            // Each loss has a graph of its own, since a backward pass uses it up.
            let views = Views::new(&model, &batch, Target::default(), None, None);
            let gradients = objective.loss(&model, &views).backward();
            let found = by_name(&model, &gradients);
            let what = format!("{objective:?}");
            assert!(is_reached(&found, "encoder"), "{what}, seed {seed}");
            let loss = |reference: &Reference| expected(reference, &rows);
            assert_differences(&what, seed, &found, &reference, &loss);
        }
    }
}

/// Which losses reach the encoder, and what predictions are compared with.
#[derive(Debug, Clone, Copy)]
struct Routes {
    dynamics: bool,
    auxiliary: bool,
    target: Target,
}

impl Routes {
    fn all() -> impl Iterator<Item = Self> {
        let reaches = [(true, true), (true, false), (false, true), (false, false)];
        reaches.into_iter().flat_map(|(dynamics, auxiliary)| {
            Target::all().map(|target| Self {
                dynamics,
                auxiliary,
                target,
            })
        })
    }

    fn dynamics(self, distance: Distance) -> Dynamics {
        Dynamics {
            reaches_encoder: self.dynamics,
            distance,
        }
    }

    fn auxiliary(self) -> Auxiliary {
        Auxiliary {
            reaches_encoder: self.auxiliary,
        }
    }
}

#[test]
fn gradients_take_the_routes_they_are_allowed_and_no_others() {
    let device = Device::flex().autodiff();
    let mut seed = 0;
    for routes in Routes::all() {
        for distance in DISTANCES {
            seed += 1;
            let what = format!("{routes:?}, {distance:?}");
            let (model, rows) = (random_model(seed, &device), Rows::random(100 + seed));
            // An average that differs from the encoder, as after some updates.
            let other = random_model(200 + seed, &device);
            let average = TargetEncoder::new(routes.target, &other.encoder);
            let batch = rows.batch(&device);
            let gradients_of = |loss: &dyn Fn(&Views<'_>) -> Tensor<1>| {
                let views = Views::new(&model, &batch, routes.target, average.as_ref(), None);
                let gradients = loss(&views).backward();
                if let Some(average) = &average {
                    let of_average = by_name(average.encoder(), &gradients);
                    assert!(of_average.values().all(Option::is_none), "{what}");
                }
                by_name(&model, &gradients)
            };
            let (dynamics, auxiliary) = (routes.dynamics(distance), routes.auxiliary());
            let of_dynamics = gradients_of(&|views| dynamics.loss(&model, views));
            let of_auxiliary = gradients_of(&|views| auxiliary.loss(&model, views));
            let of_both = gradients_of(&|views| {
                dynamics.loss(&model, views) * 0.5 + auxiliary.loss(&model, views)
            });

            let reaches = [routes.dynamics, routes.auxiliary];
            let any = reaches.contains(&true);
            for (found, reaches) in [
                (&of_dynamics, reaches[0]),
                (&of_auxiliary, reaches[1]),
                (&of_both, any),
            ] {
                assert_eq!(is_reached(found, "encoder"), reaches, "{what}, seed {seed}");
                assert_eq!(
                    is_blocked(found, "encoder"),
                    !reaches,
                    "{what}, seed {seed}"
                );
            }
            // Both networks learn whatever the encoder does, each from its own loss.
            for network in ["dynamics", "head"] {
                assert!(is_reached(&of_both, network), "{what}: {network}");
            }
            assert!(is_reached(&of_dynamics, "dynamics") && is_blocked(&of_dynamics, "head"));
            assert!(is_reached(&of_auxiliary, "head") && is_blocked(&of_auxiliary, "dynamics"));

            // What does not reach the encoder is a constant.
            let reference = Reference::of(&model);
            let frozen = reference.encode(&rows);
            let averaged = average
                .as_ref()
                .map(|_| Reference::of(&other).encode(&rows));
            let dynamics_of = |reference: &Reference| {
                let latents = reference.encode(&rows);
                let from: &[Row] = if routes.dynamics { &latents } else { &frozen };
                let to = match (&averaged, routes.target) {
                    (Some(averaged), _) => averaged,
                    (None, Target::Same(_)) if routes.dynamics => &latents,
                    (None, _) => &frozen,
                };
                reference.dynamics(&rows, distance, from, to)
            };
            let auxiliary_of = |reference: &Reference| {
                let latents = reference.encode(&rows);
                let from = if routes.auxiliary { &latents } else { &frozen };
                reference.auxiliary(&rows, from)
            };
            let both_of =
                |reference: &Reference| dynamics_of(reference) * 0.5 + auxiliary_of(reference);
            let checks: [(&str, &ByName, LossOf<'_>); 3] = [
                ("dynamics", &of_dynamics, &dynamics_of),
                ("auxiliary", &of_auxiliary, &auxiliary_of),
                ("both", &of_both, &both_of),
            ];
            for (which, found, loss) in checks {
                assert_differences(&format!("{what}, {which}"), seed, found, &reference, loss);
            }
        }
    }
}

#[test]
fn the_average_follows_the_encoder_by_its_decay_and_gathers_no_gradient() {
    let device = Device::flex().autodiff();
    for (seed, decay) in [(1, 0.9f32), (2, 0.5), (3, 0.0), (4, 1.0)] {
        let mut model: Pjepa = random_model(seed, &device);
        let batch = Rows::random(100 + seed).batch(&device);
        let target = Target::Ema(EmaTarget { decay });
        let mut average = TargetEncoder::new(target, &model.encoder).unwrap();
        let mut expected = parameters(&model.encoder);
        for update in 0..3 {
            let views = Views::new(&model, &batch, target, Some(&average), None);
            assert_eq!(views.targets.dims(), [ROWS, LATENT]);
            let dynamics = Dynamics {
                reaches_encoder: true,
                distance: Distance::Squared,
            };
            let auxiliary = Auxiliary {
                reaches_encoder: true,
            };
            let total = dynamics.loss(&model, &views) + auxiliary.loss(&model, &views);
            let gradients = total.backward();
            let of_average = by_name(average.encoder(), &gradients);
            let what = format!("seed {seed}, update {update}");
            assert!(of_average.values().all(Option::is_none), "{what}");

            let found = by_name(&model, &gradients);
            let mut stepped = parameters(&model);
            for (name, parameter) in &mut stepped {
                let gradient = found[name].as_ref().unwrap();
                let pairs = parameter.values.iter_mut().zip(gradient);
                pairs.for_each(|(value, gradient)| *value -= 0.05 * gradient);
            }
            let before = parameters(&model.encoder);
            model = with_parameters(model, &stepped).unwrap();
            average = average.moved_towards(&model.encoder);
            let encoder = parameters(&model.encoder);
            assert_ne!(before, encoder, "{what}");
            for (name, parameter) in &mut expected {
                let pairs = parameter.values.iter_mut().zip(&encoder[name].values);
                pairs.for_each(|(average, encoder)| {
                    *average = decay * *average + (1.0 - decay) * encoder;
                });
            }
            assert_eq!(parameters(average.encoder()), expected, "{what}");
        }
    }
}
