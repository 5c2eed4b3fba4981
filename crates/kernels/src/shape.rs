//! Sizes of a convolution, checked once, and the errors of this crate.

use thiserror::Error;

/// Sizes of one 2-D convolution (one group, no dilation), checked by [`ConvShape::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    pub(crate) batch: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) in_channels: usize,
    pub(crate) out_channels: usize,
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: usize,
    pub(crate) padding: usize,
}

/// Error of a call into this crate.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KernelError {
    /// A size that must be at least one is zero.
    #[error("{name} must be at least 1")]
    Zero {
        /// Name of the size.
        name: &'static str,
    },
    /// The kernel does not fit into the padded image.
    #[error(
        "a kernel of {kernel} does not fit along {axis} into an image of {image} padded by {padding} on both sides; use a smaller kernel or more padding"
    )]
    KernelTooLarge {
        /// `height` or `width`.
        axis: &'static str,
        /// Kernel size along the axis, in pixels.
        kernel: usize,
        /// Image size along the axis.
        image: usize,
        /// Padding on either side, in pixels.
        padding: usize,
    },
    /// The sizes multiply to more elements than can be addressed.
    #[error("the sizes of a convolution multiply to more elements than memory can address")]
    TooLarge,
    /// A layer adds the output of a layer that is not an earlier one of the same output size.
    #[error(
        "layer {layer} adds the output of layer {add}, which is no earlier layer of the same output size"
    )]
    Residual {
        /// Index of the layer.
        layer: usize,
        /// Index of the layer whose output it adds.
        add: usize,
    },
    /// The first layer of a stack has a prologue other than
    /// [`Prologue::Nothing`](crate::Prologue::Nothing).
    #[error(
        "the first layer of a convolution stack reads frames as they are: nothing may come before it"
    )]
    FramesAsTheyAre,
    /// The width of layers with MaxMin, which sorts pairs of values, is odd.
    #[error("layers with MaxMin are {width} wide; it sorts pairs, so use an even width")]
    OddWidth {
        /// The width.
        width: usize,
    },
    /// A row chooses a network that does not exist.
    #[error(
        "row {row} is to go through network {network}, but there are {networks}, counted from 0"
    )]
    NoSuchNetwork {
        /// Index of the row.
        row: usize,
        /// Index of the network.
        network: u32,
        /// Number of networks.
        networks: usize,
    },
    /// The length of a slice does not fit its shape.
    #[error("{name} holds {found} elements, its shape needs {expected}")]
    Length {
        /// Name of the slice.
        name: &'static str,
        /// Elements that the shape needs.
        expected: usize,
        /// Elements of the slice.
        found: usize,
    },
}

impl ConvShape {
    /// Checks the sizes of a convolution.
    ///
    /// `image` is `[batch, height, width, channel]`, `weight` is
    /// `[out, in, kernel_height, kernel_width]`. Stride and padding are the same along both axes;
    /// padding is by zeros. A batch of zero images is allowed.
    ///
    /// # Errors
    /// [`KernelError`] names the size that is zero, a kernel larger than its padded image, or an
    /// input channel count that differs between image and weight. [`KernelError::TooLarge`]: the
    /// sizes exceed what memory can address.
    pub fn new(
        image: [usize; 4],
        weight: [usize; 4],
        stride: usize,
        padding: usize,
    ) -> Result<Self, KernelError> {
        let [batch, height, width, in_channels] = image;
        let [out_channels, weight_in, kernel_height, kernel_width] = weight;
        for (name, size) in [
            ("height", height),
            ("width", width),
            ("input channels", in_channels),
            ("output channels", out_channels),
            ("kernel height", kernel_height),
            ("kernel width", kernel_width),
            ("stride", stride),
        ] {
            if size == 0 {
                return Err(KernelError::Zero { name });
            }
        }
        if weight_in != in_channels {
            return Err(KernelError::Length {
                name: "the input channel axis of the weight",
                expected: in_channels,
                found: weight_in,
            });
        }
        for (axis, kernel, image) in [
            ("height", kernel_height, height),
            ("width", kernel_width, width),
        ] {
            let padded = padding
                .checked_mul(2)
                .and_then(|both| both.checked_add(image));
            if padded.ok_or(KernelError::TooLarge)? < kernel {
                return Err(KernelError::KernelTooLarge {
                    axis,
                    kernel,
                    image,
                    padding,
                });
            }
        }
        let shape = Self {
            batch,
            height,
            width,
            in_channels,
            out_channels,
            kernel: [kernel_height, kernel_width],
            stride,
            padding,
        };
        // Scratch is at most a padded image; leave room for sizes rounded up to whole vectors.
        let sides = [
            [
                batch.max(1),
                height + 2 * padding,
                width + 2 * padding,
                in_channels + 64,
            ],
            [
                batch.max(1),
                shape.out_height(),
                shape.out_width(),
                out_channels + 64,
            ],
            [
                kernel_height,
                kernel_width,
                in_channels + 64,
                out_channels + 64,
            ],
        ];
        for sizes in sides {
            sizes
                .iter()
                .try_fold(size_of::<f32>(), |product, &size| product.checked_mul(size))
                .filter(|&bytes| isize::try_from(bytes).is_ok())
                .ok_or(KernelError::TooLarge)?;
        }
        Ok(shape)
    }

    /// Returns these sizes for another number of images.
    pub(crate) fn with_batch(&self, batch: usize) -> Result<Self, KernelError> {
        let [_, height, width, channels] = self.input();
        Self::new(
            [batch, height, width, channels],
            self.weight(),
            self.stride,
            self.padding,
        )
    }

    /// Rows of an output image.
    #[must_use]
    pub fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel[0]) / self.stride + 1
    }

    /// Columns of an output image.
    #[must_use]
    pub fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel[1]) / self.stride + 1
    }

    /// Shape of the input, `[batch, height, width, in_channels]`.
    #[must_use]
    pub fn input(&self) -> [usize; 4] {
        [self.batch, self.height, self.width, self.in_channels]
    }

    /// Shape of the weight, `[out_channels, in_channels, kernel_height, kernel_width]`.
    #[must_use]
    pub fn weight(&self) -> [usize; 4] {
        [
            self.out_channels,
            self.in_channels,
            self.kernel[0],
            self.kernel[1],
        ]
    }

    /// Shape of the output, `[batch, out_height, out_width, out_channels]`.
    #[must_use]
    pub fn output(&self) -> [usize; 4] {
        [
            self.batch,
            self.out_height(),
            self.out_width(),
            self.out_channels,
        ]
    }

    /// Elements of the input.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.batch * self.image_len()
    }

    /// Elements of the output.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.batch * self.out_image_len()
    }

    /// Elements of the weight.
    #[must_use]
    pub fn weight_len(&self) -> usize {
        self.out_channels * self.taps()
    }

    pub(crate) fn image_len(&self) -> usize {
        self.height * self.width * self.in_channels
    }

    pub(crate) fn out_image_len(&self) -> usize {
        self.out_height() * self.out_width() * self.out_channels
    }

    /// Products summed into one output element: `kernel_height * kernel_width * in_channels`.
    pub(crate) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.in_channels
    }
}

/// Returns an error unless `found` equals `expected`.
pub(crate) fn check_length(
    name: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), KernelError> {
    if expected == found {
        Ok(())
    } else {
        Err(KernelError::Length {
            name,
            expected,
            found,
        })
    }
}
