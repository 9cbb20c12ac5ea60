"""To see inside a recurrent layer: traces of gates and states, the flow of gradients, figures."""
