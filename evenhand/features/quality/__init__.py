"""Tasks with a known answer: how good everybody's work is, and the training course of a project."""
