"""Training of a policy whose parameters, gradients and moments several processes share out."""
