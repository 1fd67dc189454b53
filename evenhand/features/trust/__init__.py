"""What shows that nobody is favoured: the transparency log, and the evidence that each customer can take and check alone."""
