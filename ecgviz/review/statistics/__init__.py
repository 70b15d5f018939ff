"""Agreement of readers, overlap of marks, and change from before to after, with intervals over patients."""
