"""The rules of LogMeIn Rescue."""
