"""The pages: what they say is so, and what they tell one to type works."""
