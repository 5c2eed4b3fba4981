//! Typed ids: small, ordered, and impossible to mix up.

use std::fmt;

use bytemuck::{Pod, Zeroable};

macro_rules! typed_id {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name(u32);

        impl $name {
            /// The id with this number.
            #[inline]
            pub const fn new(id: u32) -> Self {
                Self(id)
            }

            /// The id of position `index` in an array.
            ///
            /// # Panics
            /// If `index` does not fit in 32 bits; no array of this project is that long.
            #[inline]
            pub const fn from_index(index: usize) -> Self {
                assert!(index <= u32::MAX as usize, "an id must fit in 32 bits");
                Self(index as u32)
            }

            /// The position in an array.
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The number itself.
            #[inline]
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

typed_id!(
    /// A state of a system, in `0..states`.
    StateId
);
typed_id!(
    /// An action of a system, in `0..actions`.
    ActionId
);
typed_id!(
    /// A distinct output (a distinct value of the auxiliary function), in `0..outputs`.
    OutputId
);
typed_id!(
    /// A block of a partition of the states (a class), in `0..blocks`.
    BlockId
);
