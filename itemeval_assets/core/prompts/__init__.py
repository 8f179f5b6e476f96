"""What a model is shown: templates, and the prompts that they are filled in to."""
