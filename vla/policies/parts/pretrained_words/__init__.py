"""Instructions in word vectors that were trained before, for the policies that fuse tokens."""
