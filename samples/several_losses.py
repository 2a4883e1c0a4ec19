"""Three losses in one loop, as in a GAN: each is traced by its name, in any step.

Try:
    agi trace samples/several_losses.py:critic_loss
    agi trace samples/several_losses.py:fake_loss
    agi grads samples/several_losses.py:generator_loss --step 2

Look at: `critic_loss` does not reach the generator, whose output was detached. `fake_loss` is part
of `critic_loss` and is found although backward is called on the whole. `generator_loss` reaches
both; the critic's gradients come on top of those it has from its own step.
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as loss_of


def play(rounds):
    generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    generator_step = torch.optim.Adam(generator.parameters(), lr=1e-2)
    critic_step = torch.optim.Adam(critic.parameters(), lr=1e-2)
    yes, no = torch.ones(32, 1), torch.zeros(32, 1)

    for number in range(1, rounds + 1):
        real, fake = torch.randn(32, 2) + 3, generator(torch.randn(32, 4))

        critic_step.zero_grad()
        real_loss = loss_of(critic(real), yes)
        fake_loss = loss_of(critic(fake.detach()), no)
        critic_loss = real_loss + fake_loss
        critic_loss.backward()
        critic_step.step()

        generator_step.zero_grad()
        generator_loss = loss_of(critic(fake), yes)
        generator_loss.backward()
        generator_step.step()
        print(f"round {number}: critic {critic_loss:.4f}, generator {generator_loss:.4f}")


torch.manual_seed(0)
play(rounds=3)
