//! Variance and covariance of the latents (VICReg, Bardes et al. 2022), which keep them from
//! collapsing. The third term of VICReg, invariance, is here the dynamics loss.

use burn::tensor::{Int, Tensor};

use super::{Objective, Views};
use crate::pjepa::Pjepa;

/// Offset of the variance under the root, as in the paper's code.
const EPSILON: f32 = 1e-4;

/// Mean over dimensions of `max(0, 1 - sqrt(var + 1e-4))`: every dimension of the latent should
/// vary by at least 1 over the rows of a batch. Zero for a single row.
#[derive(Debug, Clone, Copy)]
pub struct Variance;

/// Sum of the squared covariances of different dimensions over a batch, divided by their number of
/// dimensions. Zero for a single row.
#[derive(Debug, Clone, Copy)]
pub struct Covariance;

impl Objective for Variance {
    fn name(&self) -> &str {
        "variance"
    }

    fn loss(&self, _model: &Pjepa, views: &Views<'_>) -> Tensor<1> {
        variance(views.latents.clone())
    }
}

impl Objective for Covariance {
    fn name(&self) -> &str {
        "covariance"
    }

    fn loss(&self, _model: &Pjepa, views: &Views<'_>) -> Tensor<1> {
        covariance(views.latents.clone())
    }
}

fn variance(latents: Tensor<2>) -> Tensor<1> {
    let rows = latents.dims()[0];
    if rows < 2 {
        return latents.sum() * 0.0;
    }
    let centered = latents.clone() - latents.mean_dim(0);
    let variance = centered.square().sum_dim(0) / (rows - 1) as f32;
    let deviation = (variance + EPSILON).sqrt();
    (deviation.neg() + 1.0).clamp_min(0.0).mean()
}

fn covariance(latents: Tensor<2>) -> Tensor<1> {
    let [rows, width] = latents.dims();
    if rows < 2 {
        return latents.sum() * 0.0;
    }
    let centered = latents.clone() - latents.mean_dim(0);
    let covariance = centered.clone().transpose().matmul(centered) / (rows - 1) as f32;
    let places = Tensor::<1, Int>::arange(0..width as i64, &covariance.device());
    let diagonal = places
        .clone()
        .unsqueeze_dim::<2>(0)
        .equal(places.unsqueeze_dim(1));
    covariance.square().mask_fill(diagonal, 0.0).sum() / width as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn of(loss: fn(Tensor<2>) -> Tensor<1>, rows: [[f32; 2]; 2]) -> f32 {
        loss(Tensor::from_floats(rows, &Device::flex())).into_scalar::<f32>()
    }

    #[test]
    fn terms_are_those_worked_out_by_hand() {
        let found = of(variance, [[0.0, 0.0], [2.0, 0.0]]);
        assert!((found - 0.495).abs() < 1e-6, "{found}");
        let found = of(covariance, [[0.0, 0.0], [2.0, 2.0]]);
        assert!((found - 4.0).abs() < 1e-6, "{found}");
        // No covariance, and enough variance.
        assert_eq!(of(covariance, [[0.0, 0.0], [2.0, 0.0]]), 0.0);
        assert_eq!(of(variance, [[0.0, 0.0], [2.0, 2.0]]), 0.0);
    }

    #[test]
    fn a_single_row_has_neither() {
        let one = || Tensor::<2>::from_floats([[3.0, 4.0]], &Device::flex());
        assert_eq!(variance(one()).into_scalar::<f32>(), 0.0);
        assert_eq!(covariance(one()).into_scalar::<f32>(), 0.0);
    }
}
