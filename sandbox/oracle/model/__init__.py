"""The model of an Oracle database behind the simulator: state that lives, ages and can be damaged on purpose."""
