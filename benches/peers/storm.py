"""`storm.py FILE.tra`: Storm's bisimulation of a Markov chain, with the CPU time of reading (the labels are
in the .lab file beside it) and of computing apart. `storm.py --check`: is stormpy there?"""

import sys
import time

import stormpy


def main(transitions: str) -> None:
    labels = transitions.removesuffix("tra") + "lab"
    start = time.process_time()
    chain = stormpy.build_model_from_explicit(transitions, labels)
    read = time.process_time() - start
    start = time.process_time()
    quotient = stormpy.transformations.perform_bisimulation(chain, [])
    computed = time.process_time() - start
    print("classes", quotient.nr_states)
    print(f"read {read:.6f}")
    print(f"computed {computed:.6f}")


if sys.argv[1] != "--check":
    main(sys.argv[1])
