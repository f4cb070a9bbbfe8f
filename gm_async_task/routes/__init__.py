"""Routes translate HTTP into commands and results into envelopes; they hold no rule."""
