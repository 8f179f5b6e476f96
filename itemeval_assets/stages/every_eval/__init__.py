"""The results of a study as records of Every Eval Ever, schema 0.3.0 (https://evalevalai.com)."""
