"""Meta-World: tasks on a table for a Sawyer arm, in MuJoCo."""
