import pytest
import torch


@pytest.fixture(autouse=True)
def settings_of_torch():
    """What a run changes for the whole process is put back."""
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    yield
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision(precision)
