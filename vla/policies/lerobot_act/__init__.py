"""Action Chunking Transformers that others trained with LeRobot, taken as they come."""
