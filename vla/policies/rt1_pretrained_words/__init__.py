"""RT-1-style policies with pretrained word vectors."""
