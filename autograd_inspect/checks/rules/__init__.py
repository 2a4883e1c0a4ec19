"""The rules: one file for each kind of mistake, or each mechanism that finds several kinds."""
