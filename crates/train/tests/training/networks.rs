//! Configuration of networks, and which losses train them.

use std::collections::BTreeMap;

use tellapart_model::parameters::ParameterValues;
use tellapart_train::{config, train};

use crate::common::{tiny, values};

#[test]
fn the_convolutions_of_the_cnn_and_the_precision_of_products_are_configuration() {
    let sizes = [
        "optimizer.updates=1",
        "model.encoder.channels=[5, 6]",
        "model.encoder.kernels=[3, 4]",
        "model.encoder.strides=[2, 1]",
        "model.encoder.normalize=false",
        "model.encoder.hidden=0",
    ];
    let plain = values(&train(&tiny(&sizes), None, &mut ()).unwrap());
    let shapes: Vec<_> = plain
        .iter()
        .filter(|(name, _)| name.starts_with("encoder."))
        .map(|(name, values)| (name.as_str(), values.shape.clone()))
        .collect();
    // Kernels of 4 at stride 1 are padded by 2 on each side: 8 pixels become 9.
    assert_eq!(
        shapes,
        [
            ("encoder.convs.0.bias", vec![5]),
            ("encoder.convs.0.weight", vec![5, 3, 3, 3]),
            ("encoder.convs.1.bias", vec![6]),
            ("encoder.convs.1.weight", vec![6, 5, 4, 4]),
            ("encoder.latent.bias", vec![4]),
            ("encoder.latent.weight", vec![4, 6 * 9 * 9]),
        ]
    );
    let rounded = [&sizes[..], &["model.precision=bf16"]].concat();
    assert_ne!(
        plain,
        values(&train(&tiny(&rounded), None, &mut ()).unwrap())
    );

    for (word, expected) in [
        (
            "model.encoder.kernels=[3]",
            "`model.encoder.kernels` is [3]; expected as many numbers as model.encoder.channels has",
        ),
        (
            "model.encoder.strides=[0, 1, 1]",
            "`model.encoder.strides` is [0, 1, 1]; expected one to 16 whole numbers from 1 to 64",
        ),
        (
            "model.encoder.channels=[]",
            "`model.encoder.channels` is []; expected one to 16 whole numbers from 1 to 1024",
        ),
    ] {
        let words = [word.to_owned()];
        let error = config::parse(&[], &words).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let too_large = tiny(&[
        "model.encoder.kernels=[40, 3, 3]",
        "model.encoder.strides=[30, 2, 2]",
    ]);
    let error = train(&too_large, None, &mut ()).unwrap_err().to_string();
    assert!(error.contains("model.encoder.kernels"), "{error}");
}

#[test]
fn a_loss_that_may_not_reach_the_encoder_does_not() {
    let after = |words: &[&str]| {
        let words = [words, &["optimizer.updates=3"]].concat();
        values(&train(&tiny(&words), None, &mut ()).unwrap())
    };
    let part = |values: &BTreeMap<String, ParameterValues>, name: &str| -> Vec<ParameterValues> {
        let of = values.iter().filter(|(key, _)| key.starts_with(name));
        of.map(|(_, value)| value.clone()).collect()
    };
    let neither = after(&["gradients.dynamics=false", "gradients.auxiliary=false"]);
    let untouched = after(&[
        "gradients.dynamics=false",
        "gradients.auxiliary=false",
        "optimizer.encoder_rate=0",
    ]);
    assert_eq!(part(&neither, "encoder"), part(&untouched, "encoder"));
    // Without gradients into the encoder, predictor and head still learn.
    assert_ne!(
        part(&neither, "head"),
        part(&after(&["optimizer.head_rate=0"]), "head")
    );
    // The weight of a loss that does not reach the encoder cannot matter to it.
    let auxiliary_only = ["gradients.dynamics=false"];
    let heavier = ["gradients.dynamics=false", "loss.dynamics.weight=9"];
    assert_eq!(
        part(&after(&auxiliary_only), "encoder"),
        part(&after(&heavier), "encoder")
    );
    assert_ne!(
        part(&after(&auxiliary_only), "encoder"),
        part(&neither, "encoder")
    );
}
