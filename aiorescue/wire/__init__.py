"""Operations as bytes, and bytes as answers: pure functions, no I/O."""
