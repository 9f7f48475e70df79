"""Real tables: taut, as it comes, beside the methods that lead on them; docs/generalization.md shows what came out."""
