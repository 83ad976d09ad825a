// SPDX-License-Identifier: Apache-2.0
// What the tests of package evm pay with. Not audited, and worth nothing: anybody can mint.
pragma solidity 0.8.30;

contract Plain {
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    event Transfer(address indexed from, address indexed to, uint256 value);

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}

// transfer returns nothing, as that of Tether.
contract NoReturn {
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    event Transfer(address indexed from, address indexed to, uint256 value);

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
    }
}

// Keeps a hundredth of what is transferred, and says so in a second event.
contract TakesFee {
    uint8 public constant decimals = 6;
    address public constant collector = address(0xfee5);
    mapping(address => uint256) public balanceOf;
    event Transfer(address indexed from, address indexed to, uint256 value);

    // Minting takes the fee too, so that a payment of a purse's is one of this token's.
    function mint(address to, uint256 value) external {
        give(address(0), to, value);
    }

    // What is there from the beginning.
    function endow(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        give(msg.sender, to, value);
        return true;
    }

    function give(address from, address to, uint256 value) private {
        uint256 fee = value / 100;
        balanceOf[to] += value - fee;
        balanceOf[collector] += fee;
        emit Transfer(from, to, value - fee);
        emit Transfer(from, collector, fee);
    }
}

// Keeps a hundredth of what is transferred, and its event says that all arrived.
contract Liar {
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    event Transfer(address indexed from, address indexed to, uint256 value);

    function mint(address to, uint256 value) external {
        balanceOf[to] += value - value / 100;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value - value / 100;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}

// Moves nothing and returns false, without reverting.
contract ReturnsFalse {
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    event Transfer(address indexed from, address indexed to, uint256 value);

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }
}

interface Mintable {
    function mint(address to, uint256 value) external;
}

// Helps the harness: several payments in one transaction, and what only contracts can do.
contract Helper {
    event Transfer(address indexed from, address indexed to, uint256 value);

    function many(Mintable token, address[] calldata to, uint256[] calldata value) external {
        for (uint256 i = 0; i < to.length; i++) token.mint(to[i], value[i]);
    }

    // Gives everybody the same share of the value.
    function fan(address payable[] calldata to) external payable {
        for (uint256 i = 0; i < to.length; i++) to[i].transfer(msg.value / to.length);
    }

    // A token that nobody enabled, and that moves nothing.
    function fake(address to, uint256 value) external {
        emit Transfer(msg.sender, to, value);
    }

    // Ether that neither a transaction's value nor an event tells of.
    function forward(address payable to) external payable {
        (bool ok, ) = to.call{value: msg.value}("");
        require(ok, "forward");
    }

    function forwardAndFail(address payable to) external payable {
        (bool ok, ) = to.call{value: msg.value}("");
        require(ok && false, "as was asked");
    }

    function mintAndFail(Mintable token, address to, uint256 value) external {
        token.mint(to, value);
        require(false, "as was asked");
    }
}

// Takes ether when gas is estimated, at no price, and not when it is mined.
contract Trap {
    receive() external payable {
        require(tx.gasprice == 0, "trapped");
    }
}
