"""Answers: drafts, submissions and results."""
