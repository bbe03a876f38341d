"""LeRobotDataset v3.0, without the lerobot package."""
