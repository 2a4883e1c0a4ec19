import torch

image = torch.rand(1, 1, 8, 8, requires_grad=True)
for scale in range(2):
    if scale:
        image = torch.nn.functional.interpolate(image, scale_factor=2)  # <<
    image.sin().mean().backward()
    with torch.no_grad():
        image += 0.1 * image.grad
