//! Observations: images of bytes, or vectors of numbers.

use burn::tensor::{Device, Tensor, TensorData};
pub use tellapart_data::ObservationSpec;

use crate::conv_stack::FrameBatch;

/// Batch of observations on a device.
#[derive(Clone, Debug)]
pub enum ObservationBatch {
    /// Images of bytes.
    Images(FrameBatch),
    /// Vectors `[batch, width]`.
    Vectors(Tensor<2>),
}

impl ObservationBatch {
    /// Moves images of `shape` `[height, width, channels]` to a device.
    pub fn images(bytes: impl Into<Vec<u8>>, shape: [usize; 3], device: &Device) -> Self {
        Self::Images(FrameBatch::new(bytes, shape, device))
    }

    /// Moves vectors of `width` numbers to a device. Numbers that do not fill a whole vector are
    /// left out.
    pub fn vectors(values: impl Into<Vec<f32>>, width: usize, device: &Device) -> Self {
        let mut values = values.into();
        let rows = values.len() / width.max(1);
        values.truncate(rows * width);
        let data = TensorData::new(values, [rows, width]);
        Self::Vectors(Tensor::from_data(data, device))
    }

    /// Returns the numbers of each observation in one row, `[batch, width]`: bytes scaled to
    /// `[0, 1]`, or vectors as they are.
    pub(crate) fn flat(&self) -> Tensor<2> {
        match self {
            Self::Images(frames) => frames.scaled().flatten(1, 3),
            Self::Vectors(vectors) => vectors.clone(),
        }
    }

    /// Borrows images. Panics if these are vectors: building a model checks that its encoder takes
    /// the observations.
    #[expect(
        clippy::panic,
        reason = "building a model checks that its encoder takes the observations"
    )]
    pub(crate) fn frames(&self) -> &FrameBatch {
        match self {
            Self::Images(frames) => frames,
            Self::Vectors(_) => panic!("this encoder takes images"),
        }
    }
}
