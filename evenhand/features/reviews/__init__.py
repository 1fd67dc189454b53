"""Reviews by reviewers and customers, questions and notices."""
