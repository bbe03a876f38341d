"""Training of a policy whose parameters, gradients and moments are shared out among several processes."""
